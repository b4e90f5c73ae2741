const { OPCUAClient, AttributeIds } = require(process.argv[2]);
const [endpoint, system] = process.argv.slice(3);
(async () => {
  const client = OPCUAClient.create({ endpointMustExist: false, connectionStrategy: { maxRetry: 1 } });
  await client.connect(endpoint);
  const session = await client.createSession();
  const names = await session.readNamespaceArray();
  const space = names.indexOf("http://opcfoundation.org/UA/MachineVision");
  const { makeBrowsePath } = require(process.argv[2]);
  const find = async (path) => {
    const full = "/" + [`${space}:${system}`, ...path.split("/").map((one) => `${space}:${one}`)].join("/");
    const found = await session.translateBrowsePath(makeBrowsePath("ObjectsFolder", full));
    return found.targets[0].targetId;
  };
  const read = async (path) => (await session.read({ nodeId: await find(path), attributeId: AttributeIds.Value })).value.value;
  const call = async (name, ...given) => {
    const done = await session.call({ objectId: await find("RecipeManagement"), methodId: await find(`RecipeManagement/${name}`),
      inputArguments: given.map((value) => ({ dataType: "String", value })) });
    return { status: done.statusCode.name, values: (done.outputArguments ?? []).map((one) => one.value) };
  };
  const shown = {
    state: await read("VisionStateMachine/CurrentState"),
    verdict: await read("ResultManagement/Results/LatestResult/Verdict"),
    listed: await call("GetRecipeListFiltered"),
    prepared: await call("PrepareRecipe", "plain"),
    unknown: await call("PrepareRecipe", "../../etc/passwd"),
    used: await read("RecipeManagement/PreparedRecipe"),
  };
  console.log(JSON.stringify(shown));
  await session.close();
  await client.disconnect();
  process.exit(0);
})().catch((error) => { console.error(error); process.exit(1); });

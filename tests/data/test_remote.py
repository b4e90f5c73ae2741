"""Pictures behind URLs: in memory, and in a bucket of a small S3 server."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from flawline.data.archive import ArchiveLimits
from flawline.data.source import Source, open_source
from flawline.errors import FlawlineError, ImageError, ManifestError, SourceError, UsageError

fsspec = pytest.importorskip("fsspec", reason="needs the extra [remote]")


def picture(seed: int = 0) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    done, data = cv2.imencode(".png", pixels)
    assert done
    return data.tobytes()


def fill(url: str, files: dict[str, bytes], **options: object) -> str:
    """Write files below a URL as they are; returns it."""
    system, root = fsspec.core.url_to_fs(url, **options)
    for name, data in files.items():
        system.pipe_file(f"{root}/{name}", data)
    return url


@pytest.fixture
def place() -> str:
    """A folder in memory that no other test has."""
    return f"memory://{uuid.uuid4().hex}"


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """A bucket of an S3 server in this process, on a port of the system's choice."""
    server_kind = pytest.importorskip("moto.server", reason="needs moto").ThreadedMotoServer
    pytest.importorskip("s3fs", reason="needs s3fs")
    server = server_kind(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        fsspec.filesystem("s3", use_listings_cache=False).mkdir("line")
        yield "s3://line"
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    server.stop()


def names_of(source: Source) -> list[str]:
    return [sample.name for sample in source.samples()]


def code_of(url: str, **options: object) -> str:
    with pytest.raises(FlawlineError) as caught:
        open_source(url, **options)  # type: ignore[arg-type]
    return caught.value.code


FILES = {
    "good/2.png": picture(2),
    "good/10.png": picture(10),
    "bad/1.png": picture(1),
    "bad/deep/3.png": picture(3),
    "notes.txt": b"x",
    ".hidden/4.png": picture(4),
}


def check_folder(url: str) -> None:
    with open_source(url) as source:
        assert names_of(source) == ["bad/1.png", "bad/deep/3.png", "good/2.png", "good/10.png"]
        assert [s.label for s in source.samples()] == ["bad", "deep", "good", "good"]
        assert source.read("good/10.png") == FILES["good/10.png"]
        assert (source.kind, source.name, source.folder()) == ("url", url.split("/")[-1], None)
        passed = source.summary().passed_over
        assert passed == {"hidden folder": 1, "not a picture file": 1}
        for name in ("../other.png", "/good/2.png", "good/../../x.png", "good//2.png", "a\0.png"):
            with pytest.raises(ImageError, match="outside"):
                source.read(name)
        with pytest.raises(ImageError, match=r"cannot read 'good/3\.png'"):
            source.read("good/3.png")


def test_a_folder_in_memory_lists_as_one_on_disk(place: str) -> None:
    check_folder(fill(f"{place}/parts", FILES))


def test_a_folder_of_a_bucket_lists_as_one_on_disk(bucket: str) -> None:
    check_folder(fill(f"{bucket}/parts", FILES))


def test_keys_that_no_folder_can_hold_are_told_and_never_read(bucket: str) -> None:
    hostile = {"../up.png": b"x", "a//b.png": b"x", "empty.png": b"", "fine.png": picture()}
    with open_source(fill(f"{bucket}/hostile", hostile)) as source:
        assert names_of(source) == ["empty.png", "fine.png"]
        assert source.read("empty.png") == b""
        assert source.summary().passed_over["name that is no path"] >= 1
        assert source.unlisted()


def test_a_manifest_in_a_bucket_names_files_of_its_folder_alone(bucket: str) -> None:
    rows = "image,label,lot\ngood/2.png,good,A\n./bad/1.png,bad,B\n../secret.png,bad,C\ns3://other/x.png,bad,D\n"
    fill(bucket, {"secret.png": b"no"})
    url = fill(f"{bucket}/table", {**FILES, "parts.csv": rows.encode()})
    with open_source(f"{url}/parts.csv") as source:
        assert names_of(source) == ["good/2.png", "./bad/1.png"]
        assert [s.metadata["lot"] for s in source.samples()] == ["A", "B"]
        assert source.read("./bad/1.png") == FILES["bad/1.png"]
        assert source.summary().passed_over == {"file outside the table's folder": 2}
        with pytest.raises(ImageError):
            source.read("../secret.png")


def test_limits_of_size_hold_behind_a_url(place: str) -> None:
    fill(place, {"big.png": b"x" * 101, "parts.csv": b"image\n" + b"a.png\n" * 100})
    limits = ArchiveLimits(max_member_bytes=100)
    with open_source(place, limits=limits) as source, pytest.raises(ImageError) as caught:
        source.read("big.png")
    assert caught.value.code == "image-too-large"
    with pytest.raises(ManifestError, match="at most 100 bytes"):
        open_source(f"{place}/parts.csv", limits=limits)


def test_what_is_not_there_is_told(bucket: str, place: str) -> None:
    assert code_of(f"{place}/nothing") == "source-missing"
    assert code_of(f"{bucket}/nothing") == "source-missing"
    assert code_of("s3://no-such-bucket/parts") == "source-missing"
    assert code_of(fill(f"{place}/empty", {"a.txt": b"x"})) == "source-empty"
    assert code_of("http://127.0.0.1/parts") == "source-missing"
    assert code_of("simplecache::memory://parts") == "source-missing"
    with pytest.raises(UsageError, match="root"):
        open_source(fill(f"{place}/parts", FILES), root=".")


def test_a_store_without_its_package_names_it(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise ImportError("Please install gcsfs to access Google Storage")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(FlawlineError, match="gs:// needs a package") as caught:
        open_source("gs://bucket/parts")
    assert "pip install gcsfs" in caught.value.hint
    assert "[remote]" in caught.value.hint


@pytest.mark.parametrize(
    ("scheme", "package"), [("gs", "gcsfs"), ("gcs", "gcsfs"), ("az", "adlfs"), ("abfs", "adlfs")]
)
def test_the_package_of_each_store_is_named_where_it_cannot_be_imported(
    scheme: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(FlawlineError, match=f"{scheme}:// needs a package") as caught:
        open_source(f"{scheme}://bucket/parts")
    assert f"pip install {package}" in caught.value.hint


def test_a_store_that_fails_is_a_source_error(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    system, _ = fsspec.core.url_to_fs(place, use_listings_cache=False)

    def refused(*_: object) -> bool:
        raise PermissionError(13, "Access Denied")

    monkeypatch.setattr(type(system), "isdir", refused)
    with pytest.raises(SourceError, match="Access Denied") as caught:
        open_source(place)
    assert caught.value.code == "source-unreadable"

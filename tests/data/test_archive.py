"""Zip and tar sources: what they list, what they refuse, and how they read."""

from __future__ import annotations

import bz2
import gc
import gzip
import io
import lzma
import stat
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flawline.data.archive import ArchiveLimits
from flawline.data.source import open_source
from flawline.errors import ArchiveError, ImageError, SourceError

FILES = {
    "good/10.png": b"ten" * 50,
    "good/2.png": b"two",
    "bad/x.jpg": b"",
    "bad/ö ü.tif": bytes(range(256)) * 40,
    "__MACOSX/._x.png": b"junk",
    "good/.DS_Store": b"junk",
    "good/Thumbs.db": b"junk",
    "notes.txt": b"text",
    "more.zip": b"PK",
    ".hidden/a.png": b"x",
}
PICTURES = ["bad/x.jpg", "bad/ö ü.tif", "good/2.png", "good/10.png"]
PASSED = {"system file": 3, "not a picture file": 1, "nested archive": 1, "hidden file": 1}


def make_zip(path: Path, files: dict[str, bytes] = FILES, method: int = 8) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.mkdir("empty")
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def make_tar(path: Path, files: dict[str, bytes] = FILES, mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        folder = tarfile.TarInfo("./empty")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, data in files.items():
            member = tarfile.TarInfo("./" + name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def code_of(path: Path, limits: ArchiveLimits = ArchiveLimits()) -> str:  # noqa: B008
    with pytest.raises(ArchiveError) as caught:
        open_source(path, limits=limits)
    assert caught.value.hint
    return caught.value.code


MAKERS: dict[str, Callable[[Path], Path]] = {
    "stored.zip": lambda p: make_zip(p, method=0),
    "deflated.zip": make_zip,
    "bzip2.zip": lambda p: make_zip(p, method=12),
    "plain.tar": make_tar,
    "packed.tar.gz": lambda p: make_tar(p, mode="w:gz"),
    "packed.tar.bz2": lambda p: make_tar(p, mode="w:bz2"),
    "packed.tar.xz": lambda p: make_tar(p, mode="w:xz"),
    "renamed.jpg": make_zip,
    "renamed": lambda p: make_tar(p, mode="w:gz"),
}


@pytest.mark.parametrize("name", MAKERS)
def test_archives_list_and_read(tmp_path: Path, name: str) -> None:
    with open_source(MAKERS[name](tmp_path / name)) as source:
        summary = source.summary()
        assert [sample.name for sample in source.samples()] == PICTURES
        assert [sample.name for sample in source.samples()] == PICTURES
        assert summary.pictures == 4
        assert summary.labels == {"bad": (2, True), "good": (2, False)}
        assert summary.passed_over == dict(sorted(PASSED.items()))
        assert (summary.kind, summary.layout) == (source.kind, "labels")
        assert source.kind == (
            "zip" if MAKERS[name](tmp_path / name).read_bytes()[:2] == b"PK" else "tar"
        )
        for picture in PICTURES:
            assert source.read(picture) == FILES[picture]


def test_unknown_members_are_image_errors(tmp_path: Path) -> None:
    with open_source(make_zip(tmp_path / "a.zip")) as source, pytest.raises(ImageError) as caught:
        source.read("good/3.png")
    assert caught.value.hint == "Did you mean 'good/2.png'?"


def test_reading_after_close_is_a_source_error(tmp_path: Path) -> None:
    for path in (make_zip(tmp_path / "a.zip"), make_tar(tmp_path / "a.tar")):
        with open_source(path) as source:
            pass
        with pytest.raises(SourceError, match="closed"):
            source.read(PICTURES[1])


@pytest.mark.parametrize("name", ["deflated.zip", "packed.tar.gz"])
def test_reading_from_threads(tmp_path: Path, name: str) -> None:
    files = {f"{i}.png": str(i).encode() * i for i in range(300)}
    make = make_zip if name.endswith("zip") else make_tar
    with open_source(make(tmp_path / name, files)) as source, ThreadPoolExecutor(8) as pool:
        names = [sample.name for sample in source.samples()] * 5
        assert names[:3] == ["0.png", "1.png", "2.png"]
        for picture, data in zip(names, pool.map(source.read, names), strict=True):
            assert data == files[picture]


HOSTILE_NAMES = [
    ("../evil.png", "archive-path-traversal"),
    ("a/../../evil.png", "archive-path-traversal"),
    ("..\\evil.png", "archive-path-traversal"),
    ("/etc/evil.png", "archive-absolute"),
    ("C:/evil.png", "archive-absolute"),
    ("C:\\evil.png", "archive-absolute"),
    ("\\\\host\\share\\evil.png", "archive-absolute"),
    ("../notes.txt", "archive-path-traversal"),
]


@pytest.mark.parametrize(("name", "code"), HOSTILE_NAMES)
def test_hostile_names(tmp_path: Path, name: str, code: str) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        member = zipfile.ZipInfo("x" * len(name))
        archive.writestr(member, b"x")
    path.write_bytes(path.read_bytes().replace(b"x" * len(name), name.encode()))
    assert code_of(path) == code
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as tar:
        tar.addfile(tarfile.TarInfo(name))
    assert code_of(path) == code


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (tarfile.SYMTYPE, "archive-link"),
        (tarfile.LNKTYPE, "archive-link"),
        (tarfile.CHRTYPE, "archive-device"),
        (tarfile.BLKTYPE, "archive-device"),
        (tarfile.FIFOTYPE, "archive-device"),
    ],
)
def test_links_and_devices_in_tars(tmp_path: Path, kind: bytes, code: str) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("a.png")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)
    assert code_of(path) == code


def test_links_in_zips(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        member = zipfile.ZipInfo("a.png")
        member.create_system = 3
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(member, "/etc/passwd")
    assert code_of(path) == "archive-link"


def patched(path: Path, at: int, value: bytes) -> Path:
    data = bytearray(path.read_bytes())
    at = at if at >= 0 else len(data) + at
    data[at : at + len(value)] = value
    path.write_bytes(data)
    return path


def central(path: Path) -> int:
    return path.read_bytes().index(b"PK\1\2")


def one(path: Path, data: bytes = b"data" * 100, method: int = 8) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a.png", data)
    return path


def test_encrypted_members(tmp_path: Path) -> None:
    path = one(tmp_path / "a.zip")
    assert code_of(patched(path, central(path) + 8, b"\1\0")) == "archive-encrypted"


def test_duplicate_names(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.png", b"2")
    assert code_of(path) == "archive-duplicate"
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as tar:
        for name in ("b/a.png", "./b//a.png"):
            tar.addfile(tarfile.TarInfo(name))
    assert code_of(path) == "archive-duplicate"


def test_ratio_of_one_member_and_of_all(tmp_path: Path) -> None:
    zeros = bytes(66 * 2**20)
    assert code_of(one(tmp_path / "a.zip", zeros)) == "archive-bomb"
    assert one(tmp_path / "a.zip", zeros).stat().st_size < 100_000
    with open_source(tmp_path / "a.zip", limits=ArchiveLimits(max_ratio=2000)) as source:
        assert len(source.read("a.png")) == len(zeros)
    many = make_zip(tmp_path / "b.zip", {f"{i}.png": bytes(2**20) for i in range(66)})
    assert code_of(many) == "archive-bomb"


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_packed_tar_bombs_stop_early(tmp_path: Path, mode: str) -> None:
    path = make_tar(tmp_path / "a.tar.gz", {"a.png": bytes(72 * 2**20)}, mode)
    assert code_of(path) == "archive-bomb"
    limits = ArchiveLimits(max_total_bytes=10_000_000, max_ratio=1e9)
    assert code_of(path, limits) == "archive-too-large"


def test_overlapping_members(tmp_path: Path) -> None:
    """Two names for the same bytes, as in Fifield's "A better zip bomb" (WOOT 2019)."""
    path = make_zip(tmp_path / "a.zip", {"a.png": b"1" * 50, "b.png": b"2" * 50}, 0)
    data = path.read_bytes()
    entries = [i for i in range(len(data)) if data.startswith(b"PK\1\2", i)]
    first = struct.unpack_from("<L", data, entries[1] + 42)[0]
    patched(path, entries[2] + 42, struct.pack("<L", first))
    assert code_of(path) == "archive-bomb"


def test_members_that_lie_about_their_size(tmp_path: Path) -> None:
    path = one(tmp_path / "a.zip")
    patched(path, central(path) + 24, struct.pack("<L", 17))
    with open_source(path) as source, pytest.raises(ArchiveError) as caught:
        source.read("a.png")
    assert caught.value.code == "archive-bomb"


def test_members_with_a_wrong_checksum_or_header(tmp_path: Path) -> None:
    for offset, value in ((0, b"XX"), (30, b"b"), (26, b"\xff\xff"), (36, b"\xff\xff\xff")):
        path = one(tmp_path / "a.zip")
        with open_source(patched(path, offset, value) if offset else path) as source:
            if not offset:
                patched(path, 0, value)
            with pytest.raises(ArchiveError) as caught:
                source.read("a.png")
        assert caught.value.code == "archive-damaged"


def test_names_of_any_length_and_extra_fields(tmp_path: Path) -> None:
    names = ["a.png", "b" * 252 + ".png", "/".join(["c" * 200] * 5) + ".png"]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in names:
            info = zipfile.ZipInfo(name)
            info.extra = struct.pack("<2H", 0x7075, 300) + bytes(300)
            archive.writestr(info, name.encode())
    with open_source(tmp_path / "a.zip") as source:
        assert [source.read(name) for name in names] == [name.encode() for name in names]


def test_limits_of_members(tmp_path: Path) -> None:
    for make, name in ((make_zip, "a.zip"), (make_tar, "a.tar")):
        path = make(tmp_path / name)
        assert code_of(path, ArchiveLimits(max_members=3)) == "archive-too-many"
        assert code_of(path, ArchiveLimits(max_total_bytes=1000)) == "archive-too-large"
        with open_source(path, limits=ArchiveLimits(max_member_bytes=200)) as source:
            assert source.read("good/10.png") == FILES["good/10.png"]
            with pytest.raises(ArchiveError) as caught:
                source.read("bad/ö ü.tif")
            assert caught.value.code == "archive-too-large"


def test_damaged_zips(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip")
    data = path.read_bytes()
    for cut in (1, 10, 30, 200, len(data) // 2):
        path.write_bytes(data[:-cut])
        assert code_of(path) == "archive-damaged"
    for at in range(central(make_zip(path)), len(data) - 22, 7):
        path.write_bytes(data[:at] + b"\xff\xff\xff\xff" + data[at + 4 :])
        assert contents_or_refusal(path) in (None, FILES["good/2.png"])


def contents_or_refusal(path: Path) -> bytes | None:
    try:
        with open_source(path) as source:
            return source.read("good/2.png")
    except (SourceError, ImageError):
        return None


def test_damaged_tars(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "a.tar")
    data = path.read_bytes()
    end = data.rindex(b"x" + bytes(511)) + 512
    for cut in (700, 1024, 5000, end - 300, end):
        path.write_bytes(data[:cut])
        assert code_of(path) == "archive-damaged", cut
    broken = bytearray(data)
    broken[1536:1548] = b"\xff" * 12
    path.write_bytes(broken)
    assert code_of(path) == "archive-damaged"


@pytest.mark.parametrize("mode", ["gz", "bz2", "xz"])
def test_damaged_packed_tars(tmp_path: Path, mode: str) -> None:
    path = make_tar(tmp_path / f"a.tar.{mode}", mode=f"w:{mode}")
    data = path.read_bytes()
    for kept in (20, len(data) // 2, len(data) - 3):
        path.write_bytes(data[:kept])
        assert code_of(path) == "archive-damaged"


def test_packed_files_that_hold_no_tar(tmp_path: Path) -> None:
    for name, pack in (("a.csv.gz", gzip.compress), ("a.bz2", bz2.compress), ("a", lzma.compress)):
        path = tmp_path / name
        path.write_bytes(pack(b"image,label\n" * 100))
        assert code_of(path) == "archive-not-an-archive"


def test_several_gzip_streams_in_a_row(tmp_path: Path) -> None:
    plain = make_tar(tmp_path / "a.tar").read_bytes()
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(plain[:3000]) + gzip.compress(plain[3000:]))
    with open_source(path) as source:
        assert source.read("good/10.png") == FILES["good/10.png"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<html>403</html>", "HTML"),
        (b"", "empty"),
        (b"Rar!\x1a\7", "RAR"),
        (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
        (b"hello", "plain text"),
    ],
)
def test_renamed_files_are_no_archives(tmp_path: Path, data: bytes, words: str) -> None:
    for name in ("a.zip", "a.tar", "a.tgz"):
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(ArchiveError, match=words) as caught:
            open_source(path)
        assert caught.value.code == "archive-not-an-archive"


def test_archives_without_pictures(tmp_path: Path) -> None:
    for path in (make_zip(tmp_path / "a.zip", {"a.txt": b""}), make_tar(tmp_path / "b.tar", {})):
        with pytest.raises(SourceError, match="no pictures") as caught:
            open_source(path)
        assert caught.value.code == "source-empty"
    path = tmp_path / "c.zip"
    with zipfile.ZipFile(path, "w"):
        pass
    with pytest.raises(SourceError, match="no pictures"):
        open_source(path)


def test_zip64_and_data_before_the_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with (
        zipfile.ZipFile(path, "w") as archive,
        archive.open("a.png", "w", force_zip64=True) as file,
    ):
        file.write(b"data")
    entry = central(path)
    data = path.read_bytes()
    wide = struct.pack("<2H2Q", 1, 16, 4, 4)
    record = bytearray(data[entry : entry + 46 + 5])
    record[20:28] = b"\xff" * 8
    record[30:32] = struct.pack("<H", len(wide))
    directory = bytes(record) + wide
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, len(directory), entry)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, entry + len(directory), 1)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    path.write_bytes(data[:entry] + directory + end64 + locator + end)
    with open_source(path) as source:
        assert source.read("a.png") == b"data"
    plain = make_zip(tmp_path / "b.zip").read_bytes()
    (tmp_path / "b.zip").write_bytes(b"PK\3\4 a program that unpacks itself" + plain)
    with open_source(tmp_path / "b.zip") as source:
        assert source.read("good/2.png") == b"two"


@pytest.mark.parametrize(
    ("offset", "value", "code"),
    [
        (4, b"\1\0\0\0", "archive-multipart"),
        (6, b"\1\0", "archive-multipart"),
        (8, b"\3\0\3\0", "archive-damaged"),
        (10, b"\5\0", "archive-damaged"),
    ],
)
def test_the_last_record_of_a_zip_must_fit(
    tmp_path: Path, offset: int, value: bytes, code: str
) -> None:
    """The number of its disk, of the directory's first disk, and of members (4.3.16)."""
    path = make_zip(tmp_path / "a.zip", {f"{i}.png": b"x" for i in range(3)})
    at = path.read_bytes().rindex(b"PK\5\6")
    count = int.from_bytes(path.read_bytes()[at + 10 : at + 12], "little")
    assert count == 4  # the folder counts
    assert code_of(patched(path, at + offset, value)) == code


def test_names_without_the_mark_of_utf8_are_utf8_or_code_page_437(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x" * 8, b"1")
        archive.writestr("y" * 8, b"2")
    data = path.read_bytes().replace(b"x" * 8, "öü.png".encode())
    path.write_bytes(data.replace(b"y" * 8, b"b\x81aa.png"))
    with open_source(path) as source:
        assert [sample.name for sample in source.samples()] == ["büaa.png", "öü.png"]
        assert [source.read(name) for name in ("büaa.png", "öü.png")] == [b"2", b"1"]


def test_a_directory_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    """The directory is as long as the file that it stands in, which takes no space on a disk."""
    path = one(tmp_path / "a.zip")
    record = bytearray(path.read_bytes()[-22:])
    size, start = 3 << 30, path.stat().st_size
    record[10:12] = record[8:10] = b"\1\0"
    record[12:20] = struct.pack("<2L", size, start)
    with path.open("r+b") as file:
        file.seek(start + size)
        file.write(record)
    assert code_of(path, ArchiveLimits(max_members=1000)) == "archive-damaged"


def test_undecodable_names(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as archive:
        for name in ("b\udcff.png", "a.png"):
            archive.addfile(tarfile.TarInfo(name))
    with open_source(path) as source:
        assert [sample.name for sample in source.samples()] == ["a.png"]
        assert source.summary().passed_over == {"name is not valid Unicode": 1}


def test_a_header_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    member = tarfile.TarInfo("././@LongLink")
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, 2**33
    path.write_bytes(member.tobuf(tarfile.GNU_FORMAT) + bytes(5000))
    assert code_of(path) == "archive-bomb"


def test_unsupported_methods_say_so(tmp_path: Path) -> None:
    path = one(tmp_path / "a.zip", method=14)
    with open_source(path) as source, pytest.raises(ArchiveError, match="method 14") as caught:
        source.read("a.png")
    assert caught.value.code == "archive-unsupported"
    assert zlib.crc32(b"") == 0


def test_a_refused_packed_tar_leaves_no_file_open(tmp_path: Path) -> None:
    evil = make_tar(tmp_path / "evil.tar.gz", {"../x.png": b"x"}, "w:gz")
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(gzip.compress(gzip.decompress(evil.read_bytes())[:-10_000]))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for path in (evil, cut):
            with pytest.raises(ArchiveError):
                open_source(path)
        gc.collect()
    assert not [w for w in caught if issubclass(w.category, ResourceWarning)]

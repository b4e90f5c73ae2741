"""The encoding of names that archives do not state."""

from __future__ import annotations

import io
import tarfile
import unicodedata
import zipfile
from pathlib import Path

import pytest

from flawline.data.name_encoding import checked_encoding, decode_name, find_encoding
from flawline.data.source import Source, open_source
from flawline.errors import ArchiveError, UsageError
from helpers.raw_zip import raw_zip

WORDS = {
    "cp932": "良品/画像1 不良/傷_01 キズ/あ 打痕/1 表面/表 ソ 異物 正常 異常 合格 テスト 新しいフォルダー 亀裂 NG品 ｷｽﾞ",
    "gbk": "良品/图片1 缺陷/裂纹 合格/1 不合格/2 划痕 瑕疵 正常 异常 测试 训练 新建文件夹 铸件 OK品 NG品",
    "big5": "良品 不良品 裂紋 刮痕 圖片1 新增資料夾 正常 異常 影像",
    "cp437": "Öl büaa Maße Prüfung größe gut/schön Kratzer_ä pièce rayé créée côté señal corazón niño",
    "cp1252": "Öl büaa Maße Prüfung größe gut/schön Kratzer_ä pièce rayé créée côté señal corazón niño",
    "cp866": "брак/1 годные трещина дефект БРАК Царапина норма",
    "utf-8": "良品 不良 größe брак κακό șurub nơi 양품 45° 5µm 2² naïve",
}


@pytest.mark.parametrize("encoding", WORDS)
def test_words_of_many_languages(encoding: str) -> None:
    words = WORDS[encoding].split()
    names = [f"{word}.png".encode(encoding) for word in words]
    assert find_encoding(names) == encoding
    assert [decode_name(name, encoding) for name in names] == [f"{word}.png" for word in words]


@pytest.mark.parametrize("encoding", ["cp932", "gbk", "cp437", "cp866", "utf-8"])
def test_single_words(encoding: str) -> None:
    """One word is little to judge by, and yet enough for nearly all of them."""
    words = WORDS[encoding].split()
    right = [find_encoding([word.encode(encoding)]) == encoding for word in words]
    assert sum(right) >= len(words) - 1


def test_accents_that_stand_apart_as_macos_writes_them() -> None:
    words = [unicodedata.normalize("NFD", word).encode() for word in ("Prüfung", "ÄÖÜ", "é")]
    assert [find_encoding([word]) for word in words] == ["utf-8"] * 3


def test_names_that_give_no_words() -> None:
    assert find_encoding([b"b\xff.png"]) is None
    assert find_encoding([b"\x81\x20\xff"]) is None


def test_encodings_are_known_by_name() -> None:
    assert checked_encoding("Shift_JIS") == "cp932"
    assert checked_encoding("UTF8") == "utf-8"
    assert checked_encoding(None) is None
    for name in ("klingon", "nul\0", "", "rot13", "utf-16"):
        with pytest.raises(UsageError, match="encoding of names"):
            checked_encoding(name)


def names_of(source: Source) -> list[str]:
    return [sample.name for sample in source.samples()]


def raw_tar(path: Path, files: dict[bytes, bytes]) -> Path:
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT, encoding="latin-1") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name.decode("latin-1"))
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


@pytest.mark.parametrize("make", [raw_zip, raw_tar])
@pytest.mark.parametrize("encoding", ["cp932", "gbk"])
def test_archives_without_a_stated_encoding(tmp_path: Path, make: object, encoding: str) -> None:
    names = (
        ["不良/傷1.png", "良品/表.png"] if encoding == "cp932" else ["不良/伤1.png", "良品/表.png"]
    )
    files = {name.encode(encoding): name.encode() for name in names}
    path = make(tmp_path / "a.zip", files)  # type: ignore[operator]
    with open_source(path) as source:
        assert sorted(names_of(source)) == sorted(names)
        assert [source.read(name).decode() for name in names] == names
        assert {sample.label for sample in source.samples()} == {"不良", "良品"}
        (note,) = source.summary().notes
        assert f"read as {encoding}, such as '不良/" in note
        assert "`encoding`" in note
    with open_source(path, encoding="gbk" if encoding == "cp932" else "cp866") as source:
        assert len(names_of(source)) == 2
        assert not set(names_of(source)) & set(names)
        assert source.summary().notes == ()
    with pytest.raises(ArchiveError, match=r"names of members in utf-8, got b'") as caught:
        open_source(path, encoding="UTF-8")
    assert caught.value.code == "archive-encoding"


def test_names_that_cannot_be_recognised_ask_for_their_encoding(tmp_path: Path) -> None:
    path = raw_zip(tmp_path / "a.zip", {b"b\xff.png": b"1"})
    with pytest.raises(ArchiveError, match="states no encoding") as caught:
        open_source(path)
    assert caught.value.code == "archive-encoding"
    assert "`encoding`" in caught.value.hint
    with open_source(path, encoding="latin-1") as source:
        assert names_of(source) == ["bÿ.png"]
        assert source.read("bÿ.png") == b"1"


def test_names_that_state_their_encoding_need_none(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("不良/1.png", b"1")
    for encoding in (None, "gbk"):
        with open_source(path, encoding=encoding) as source:
            assert names_of(source) == ["不良/1.png"]
            assert source.read("不良/1.png") == b"1"
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(tarfile.TarInfo("不良/1.png"))
    with open_source(path, encoding="cp437") as source:
        assert names_of(source) == ["不良/1.png"]


def test_names_that_are_wrongly_marked_as_utf8(tmp_path: Path) -> None:
    path = raw_zip(tmp_path / "a.zip", {b"b\xff.png": b"1"})
    data = path.read_bytes()
    at = data.index(b"PK\1\2") + 8
    path.write_bytes(data[:at] + b"\0\x08" + data[at + 2 :])
    with pytest.raises(ArchiveError, match="marked as UTF-8") as caught:
        open_source(path)
    assert caught.value.code == "archive-encoding"


def test_a_name_in_unicode_beside_the_other_counts(tmp_path: Path) -> None:
    path = raw_zip(
        tmp_path / "a.zip", {b"b\xff.png": b"1"}, unicode_names={b"b\xff.png": "不良.png"}
    )
    with open_source(path) as source:
        assert names_of(source) == ["不良.png"]
        assert source.read("不良.png") == b"1"
        assert source.summary().notes == ()


@pytest.mark.parametrize("make", [raw_zip, raw_tar])
def test_backslashes_separate_folders(tmp_path: Path, make: object) -> None:
    files = {b"parts\\bad\\1.png": b"1", b"parts\\good\\2.png": b"2", b"parts/good\\3.png": b"3"}
    path = make(tmp_path / "a", files)  # type: ignore[operator]
    with open_source(path) as source:
        assert names_of(source) == ["parts/bad/1.png", "parts/good/2.png", "parts/good/3.png"]
        assert source.summary().labels == {"bad": (1, True), "good": (2, False)}
        assert [source.read(name) for name in names_of(source)] == [b"1", b"2", b"3"]
    twice = make(tmp_path / "b", {b"a\\1.png": b"1", b"a/1.png": b"2"})  # type: ignore[operator]
    with pytest.raises(ArchiveError) as caught:
        open_source(twice)
    assert caught.value.code == "archive-duplicate"


def test_an_encoding_is_for_archives(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"x")
    for location in (tmp_path, tmp_path / "*.png", {"1": tmp_path / "1.png"}):
        with pytest.raises(UsageError, match="zip or tar with `encoding`"):
            open_source(location, encoding="gbk")

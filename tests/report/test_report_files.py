"""Three files, each whole or not at all, the same bytes for the same contents."""

import io
import os
import re
import zipfile
from pathlib import Path

import altair
import pytest

from placeproof.errors import OutputError
from placeproof.report import build, figures, write
from placeproof.report.document import figures_of, on_paper
from placeproof.report.style import HOT_SPOT, INK, MEANING, PAPER, QUIET
from tests.answers.builder import answers, control, effect, findings, share, trend
from tests.report import invented


@pytest.fixture(scope="module")
def contents() -> object:
    found = findings(
        [effect(0.8), effect(0.85, role="beside", method="poisson_imputation_trend_adjusted"),
         trend(), control(), share("RQ4"), share("RQ4", 0.5, population="businesses")]
    )  # fmt: skip
    return invented.contents(findings=found, answers=answers(found, exploratory=True))


@pytest.fixture(scope="module")
def written(contents: object, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write(contents, tmp_path_factory.mktemp("first"))  # type: ignore[arg-type]


def test_the_same_contents_give_the_same_bytes(
    contents: object, written: list[Path], tmp_path: Path
) -> None:
    again = write(contents, tmp_path)  # type: ignore[arg-type]
    assert [path.name for path in again] == ["report.html", "report.pdf", "report.docx"]
    for first, second in zip(written, again, strict=True):
        assert first.read_bytes() == second.read_bytes(), first.name


def test_the_pdf_is_tagged_and_says_it_meets_the_standard(written: list[Path]) -> None:
    content = written[1].read_bytes()
    assert content.startswith(b"%PDF")
    assert b"/MarkInfo" in content
    assert b"pdfuaid" in content


def test_word_gets_real_tables_images_with_words_and_the_stamp(written: list[Path]) -> None:
    with zipfile.ZipFile(io.BytesIO(written[2].read_bytes())) as package:
        body = package.read("word/document.xml").decode()
        head = package.read("word/header9.xml").decode()
        assert package.testzip() is None
        assert {entry.date_time for entry in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert body.count("<w:tbl>") > 5
    assert "headerReference" in body
    assert "exploratory" in head
    described = re.findall(r'<wp:docPr[^>]*descr="([^"]*)"', body)
    assert described
    assert all(len(words) > 30 for words in described)


def test_a_file_that_cannot_be_replaced_leaves_the_others_and_itself_whole(
    contents: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "report.docx").write_bytes(b"open in Word")
    real = Path.replace

    def held(self: Path, target: Path) -> Path:
        if Path(target).suffix == ".docx":
            raise PermissionError(13, "Permission denied", str(target))
        return real(self, target)

    monkeypatch.setattr(Path, "replace", held)
    with pytest.raises(OutputError, match=r"report\.docx") as told:
        write(contents, tmp_path)  # type: ignore[arg-type]
    assert "close" in told.value.mend
    assert (tmp_path / "report.docx").read_bytes() == b"open in Word"
    assert {path.name for path in tmp_path.iterdir()} == {
        "report.html",
        "report.pdf",
        "report.docx",
    }


def test_hostile_names_pass_through_every_format(tmp_path: Path) -> None:
    name = '<script>x</script> #eval("1") $x$ מקום 很长 ' + "\U0001f600" * 99 + "a" * 200
    found = findings(
        [effect(0.8, outcome_label=name), effect(0.9, population=name, role="beside"),
         share("RQ4", outcome_label=name), share("RQ4", population=name)]
    )  # fmt: skip
    given = invented.contents(findings=found, answers=answers(found), texts={"background": name})
    written = write(given, tmp_path)
    assert all(path.stat().st_size > 10_000 for path in written)
    assert "<script>x" not in written[0].read_text(encoding="utf-8")


def test_charts_meet_the_schema_of_their_language() -> None:
    for figure in figures_of(build.document(invented.contents())):
        if figure.spec is not None:
            altair.LayerChart.from_dict(dict(figure.spec))


def test_a_drawing_does_not_depend_on_what_was_drawn_before() -> None:
    spec = next(f.spec for f in figures_of(build.document(invented.contents())) if f.spec)
    first = figures.svg(spec)
    assert figures.svg(spec) == first


def test_clip_paths_and_gradients_are_numbered_from_one() -> None:
    later = '<clipPath id="clip17"/><g clip-path="url(#clip17)"/><b fill="url(#gradient_4)"/>'
    sooner = '<clipPath id="clip2"/><g clip-path="url(#clip2)"/><b fill="url(#gradient_9)"/>'
    assert figures.steady(later) == figures.steady(sooner)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(first: str, second: str) -> float:
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


def test_words_and_marks_can_be_seen() -> None:
    assert min(_contrast(colour, PAPER) for colour in (INK, QUIET)) >= 7
    assert min(_contrast(colour, PAPER) for colour in MEANING.values()) >= 3
    assert len(set(MEANING.values())) == len(MEANING)
    assert HOT_SPOT != INK


def test_file_permissions_follow_the_folder(written: list[Path]) -> None:
    if os.name == "posix":
        mask = os.umask(0)
        os.umask(mask)
        assert written[0].stat().st_mode & 0o777 == 0o666 & ~mask


def test_paper_drops_nothing_that_the_summary_cites() -> None:
    document = build.document(invented.contents())
    assert on_paper(document).sections[0].title == document.sections[0].title

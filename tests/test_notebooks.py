"""Every notebook runs from top to bottom, is committed clean, and says the same in English and Korean."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from cnnviz_widgets.views.guess import HIDDEN, NO_QUESTION

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
KOREAN = sorted((FOLDER / "ko").glob("*.ipynb"))

#: What the Korean code says in place of the English, with `{}` for values; all else is the same but `language="ko"`.
TRANSLATED = {
    "{}: {} x {} cells, each sees {} x {} pixels": "{}: {} x {}칸, 한 칸이 보는 픽셀: {} x {}",
    "mean of the map {} + bias {} = logit {}": "맵의 평균 {} + 편향 {} = 로짓 {}",
    "network A": "네트워크 A",
    "network B": "네트워크 B",
    "{} on the object, {} on the mark": "물체 위 {}, 표시 위 {}",
    "It is": "범인:",
    "Accuse": "고발하기",
    "{} it is.": "맞습니다: {}.",
    "{} knows its shapes; it is the other one.": "{}: 도형을 제대로 봅니다. 다른 쪽입니다.",
    "{}, {} for {}: {}": "{}, {}, {}: {}",
    "norms": "노름",
    "to": "~",
    "dead": "죽은 필터",
    "near zero": "0에 가까운 가중치",
    "{} of the weights": "{}",
    "drawn at random,": "무작위로 정함:",
    "sum of the attributions {}, difference of the logits {}": "값의 합 {}, 로짓의 차이 {}",
}
HEADING = r"# (\d+)\. .+\n\n\*(?:Notebook|노트북) .*?(\d+)\s*(?:minutes|분)\.\* \*\*(?:Goal|목표):\*\*"


def test_every_technique_has_one() -> None:
    techniques = {"activation", "cam", "class_visual", "embedding", "filters", "gradcam"}
    techniques |= {"neighbours", "occlusion", "patches", "saliency", "sketch"}
    assert {"explorer", *techniques} <= {path.stem for path in NOTEBOOKS}


def name_of(path: Path) -> str:
    """`cam`, or `ko/cam`."""
    return path.relative_to(FOLDER).with_suffix("").as_posix()


# Of those in Korean one is enough: their code is that of the others, as a test below sees to.
@pytest.mark.parametrize("path", [*NOTEBOOKS, FOLDER / "ko" / "sketch.ipynb"], ids=name_of)
def test_it_runs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": FOLDER}}).execute()
    printed = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output.text for output in printed if output.get("name") == "stderr"]
    states = json.dumps(notebook.metadata.get("widgets", {}))
    waiting = states.count(json.dumps(HIDDEN)) + states.count(json.dumps(NO_QUESTION))
    assert waiting == sum(cell.source.count("guess=True") for cell in notebook.cells)  # none is open after Run All


@pytest.mark.parametrize("path", [*NOTEBOOKS, *KOREAN], ids=name_of)
def test_it_is_committed_without_results(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert "widgets" not in notebook.metadata
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_the_hunt_gives_nothing_away() -> None:
    """Neither what is shown after *Run All* nor what stands in any widget tells which network is which."""
    notebook = nbformat.read(FOLDER / "catch_the_shortcut.ipynb", as_version=4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": FOLDER}}).execute()
    shown = [cell.get("outputs", []) for cell in notebook.cells] + [notebook.metadata.get("widgets", {})]
    text = json.dumps(shown)
    assert "network A" in text and "network B" in text
    for telltale in ("biased", "clean", "cheat", "it is the other one", "on the mark"):
        assert telltale not in text, telltale


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_a_guess_is_asked_for_by_a_view_and_its_picture_stands_below(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    for number, cell in enumerate(cells):
        if cell.cell_type == "markdown" and re.search(r"\bGuess\s+(first|below)", cell.source):
            assert "guess=True" in next(each.source for each in cells[number:] if each.cell_type == "code")
    views = [number for number, cell in enumerate(cells) if cell.cell_type == "code" and "View(" in cell.source]
    if views and "guess=True" in cells[views[0]].source:
        pictures = [number for number, cell in enumerate(cells) if f"pictures/{path.stem}.png" in cell.source]
        assert pictures and min(pictures) > views[0]


class Normal(ast.NodeTransformer):
    """A program with its texts as `texts` has them, and f-strings as templates; without `language="ko"`."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = texts

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant(self.texts.get(node.value, node.value)) if isinstance(node.value, str) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        parts = [str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values]
        values = [self.visit(part) for part in node.values if isinstance(part, ast.FormattedValue)]
        return ast.Tuple([self.visit(ast.Constant("".join(parts))), *values], ast.Load())

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        node.keywords = [each for each in node.keywords if ast.unparse(each) != "language='ko'"]
        return node


def code_of(path: Path, texts: dict[str, str]) -> list[str]:
    cells = nbformat.read(path, as_version=4).cells
    return [ast.dump(Normal(texts).visit(ast.parse(cell.source))) for cell in cells if cell.cell_type == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_the_korean_one_has_the_same_code(path: Path) -> None:
    korean = FOLDER / "ko" / path.name
    assert code_of(korean, {}) == code_of(path, TRANSLATED)
    code = "".join(cell.source for cell in nbformat.read(korean, as_version=4).cells if cell.cell_type == "code")
    shown = len(re.findall(r"\b(?:\w+View|explore)\((?!.*source=folder)", code))
    assert code.count('language="ko"') == shown > 0


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_the_korean_one_says_the_same(path: Path) -> None:
    english, korean = (nbformat.read(each, as_version=4).cells for each in (path, FOLDER / "ko" / path.name))
    assert [(cell.id, cell.cell_type) for cell in english] == [(cell.id, cell.cell_type) for cell in korean]
    for one, other in zip(english, korean, strict=True):
        if one.cell_type == "markdown":
            assert re.search("[가-힣]", other.source)
            for mark in ("$$", "\n## ", "<details>", "\n- "):
                assert one.source.count(mark) == other.source.count(mark), (mark, one.id)
            assert one.source.count("**Question.**") == other.source.count("**질문.**")


def test_there_is_none_in_korean_alone() -> None:
    assert [path.name for path in KOREAN] == [path.name for path in NOTEBOOKS]


def test_they_are_numbered_with_minutes_a_goal_and_hints() -> None:
    numbers = {}
    for path in [*NOTEBOOKS, *KOREAN]:
        if path.stem == "explorer":  # where all begins
            continue
        first, *rest = (cell.source for cell in nbformat.read(path, as_version=4).cells)
        found = re.match(HEADING, first)
        assert found, path
        numbers[name_of(path)] = found.groups()
        assert any("<summary>" in text for text in rest), path
    english = {name: said for name, said in numbers.items() if "/" not in name}
    assert {f"ko/{name}": said for name, said in english.items()} == {
        name: said for name, said in numbers.items() if "/" in name
    }
    assert sorted(int(number) for number, _ in english.values()) == list(range(1, len(NOTEBOOKS)))


@pytest.mark.parametrize("path", [*NOTEBOOKS, *KOREAN], ids=name_of)
def test_its_pictures_are_there(path: Path) -> None:
    sources = "".join(cell.source for cell in nbformat.read(path, as_version=4).cells)
    for picture in re.findall(r"!\[[^]]+\]\(([^)]+)\)", sources):
        assert (path.parent / picture).is_file()


def test_no_picture_is_left_over() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in NOTEBOOKS)
    pictures = list((FOLDER / "pictures").iterdir())
    assert len(pictures) >= 10 and all(f"pictures/{path.name}" in text for path in pictures)

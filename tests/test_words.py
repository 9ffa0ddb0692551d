"""The catalogues: every language says the same, and nothing is said that no page asks for."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

import cnnviz_widgets
from cnnviz_widgets import words
from cnnviz_widgets.views.covering import BRUSH
from cnnviz_widgets.views.explorer import TABS
from cnnviz_widgets.views.wording import ACTIONS, HELP, name_of

#: Sentences and tooltips of the design whose views do not say them yet; what is said leaves this list.
AWAITED = re.compile(
    r"tooltip\.(click_a_map_to|receptive_field|opacity|"
    r"colour_by|help)$"
)
#: What is found by the description of a control: tests/views/test_laws.py looks at every control.
BY_DESCRIPTION = "tooltip."
#: What stands on the page in the place of an English text of the program, or of a field's name.
IN_PLACE = re.compile(r"(parameter|option|button|title)\.(.+\.)?(?P<name>.+)$")

#: English texts that the program makes of parts.
COMPOSED = ("nearest in features", "nearest in pixels", "insertion curve", "deletion curve")


def fields(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text)} - {None}


def test_all_languages_have_the_same_keys_and_placeholders() -> None:
    english = words.catalogue("en")
    for language in words.LANGUAGES:
        texts = words.catalogue(language)
        assert texts.keys() == english.keys()
        assert {key: fields(text) for key, text in texts.items()} == {
            key: fields(text) for key, text in english.items()
        }
        assert all(text.strip() == text and text for text in texts.values())
        assert all(text.count("**") % 2 == 0 for text in texts.values())


def test_every_key_is_used() -> None:
    package = Path(cnnviz_widgets.__file__).parent
    answers = "".join((package / "views" / "parts" / f"{name}.py").read_text() for name in ("answers", "hot_spot"))
    layer_names = (package / "views" / "parts" / "layer_names.py").read_text()
    source = "".join(path.read_text() for path in package.rglob("*.py"))
    topics = {view.topic for view in TABS.values()}
    made = {f"tab.{topic}.{part}" for topic in topics for part in ("name", "question")}
    made |= {f"help.{part}" for part in HELP} | {f"help.{topic}.{part}" for topic in topics for part in HELP}
    made |= {f"action.{name}" for name in ACTIONS}
    made |= {f"group.{group}" for group in ("decision", "learned", "alike")}
    made |= {f"brush.{name}" for name in BRUSH}
    made |= {f"answer.occlusion_score_{kind}" for kind in ("falls", "rises", "same")}
    made |= {f"answer.lasso{kind}" for kind in ("_of_labels", "_and_classes", "_of_labels_and_classes")}
    written = {name_of(text) for text in re.findall(r'"([^"\n]+)"', source)}
    written |= {name for name in re.findall(r"^    (\w+): ", source, re.MULTILINE)} | {"yes", "no"}
    written |= {name_of(text) for text in COMPOSED}
    made |= {key for key in words.catalogue("en") if (found := IN_PLACE.match(key)) and found["name"] in written}
    made |= {key for key in words.catalogue("en") if f'"{key.removeprefix("layer_name.")}"' in layer_names}
    made |= {key for key in words.catalogue("en") if f'"{key.removeprefix("answer.")}"' in answers}
    assert made <= words.catalogue("en").keys()
    unused = [
        key
        for key in words.catalogue("en")
        if key not in made
        and f'"{key}"' not in source
        and not key.startswith(BY_DESCRIPTION)
        and not AWAITED.match(key)
    ]
    assert unused == []


def test_korean_names_no_particle_that_depends_on_what_is_put_in() -> None:
    """After a placeholder the right form depends on a sound that the catalogue does not know."""
    for key, text in words.catalogue("ko").items():
        assert not re.search(r"\{\w+\}(은|는|이|가|을|를|과|와|으로|로)(?=[\s,.])", text), key


def test_values_are_put_in_and_never_read_for_marks() -> None:
    assert words.text("answer.occlusion_same", "ko", **{"class": "a {b}", "p0": 7}) == (
        "이곳을 가려도 거의 그대로입니다: a {b} 7%."
    )
    parts = words.parts("answer.cam_nothing_positive", **{"class": "**x** {y}"})
    assert parts == [
        ("Nothing here speaks for **x** {y}.", True),
        (" Show negative values to see what speaks against it.", False),
    ]


def test_a_page_is_sent_its_language_or_all_of_them() -> None:
    assert words.sent("ko") == ("ko",) and words.sent(None) == words.LANGUAGES
    assert words.text("tab.cam.question", None) == words.text("tab.cam.question", "en")
    with pytest.raises(ValueError, match=r"'fr'.*en, ko"):
        words.sent("fr")

"""Sentences hold names that a person chose; nothing in them is taken for markup."""

from __future__ import annotations

from workbench.app.messages import plain


def test_markup_in_a_name_stays_text() -> None:
    assert plain("my_holiday_1.png") == r"my\_holiday\_1.png"
    assert plain("[x](y) :red[a] <b>") == r"\[x\](y) \:red\[a\] \<b\>"


def test_a_plain_sentence_stays_as_it_is() -> None:
    assert plain("No face was found, try another.") == "No face was found, try another."

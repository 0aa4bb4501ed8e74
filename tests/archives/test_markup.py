"""Markup: the HTML of a post becomes the text that is read."""

from __future__ import annotations

from app.archives.markup import plain


def test_the_link_before_a_quoting_post_is_not_its_text() -> None:
    quoted = '<p class="quote-inline">RE: <a href="https://other.example/@ann/1">other.example/@ann/1</a></p>'
    assert plain(f"{quoted}<p>So they say.</p>") == "So they say."
    assert plain("<p>So they say: quote-inline</p><p>Yes</p>") == "So they say: quote-inline\nYes"


def test_what_stands_in_blocks_stands_in_lines() -> None:
    assert plain("<p>Bring:</p><ul><li>oars</li> <li>rope</li></ul><h2>When</h2>Noon<br>sharp") == (
        "Bring:\noars\nrope\nWhen\nNoon\nsharp"
    )
    assert plain("<p>a <em>b</em><strong>c</strong></p><pre><code>d</code></pre>") == "a bc\nd"


def test_markup_that_never_ends_takes_no_time() -> None:
    for torn in ("<p ", '<p class="quote-inline">', "<br", "<", "<p quote-inline ", ":a", "<p> "):
        assert len(plain(torn * (90_000 // len(torn)), {":a:"})) <= 90_000


def test_links_and_names_are_whole() -> None:
    link = (
        '<a href="https://example.org/a/b"><span class="invisible">https://</span>'
        '<span class="ellipsis">example.org/a</span><span class="invisible">/b</span></a>'
    )
    name = (
        '<span class="h-card"><a href="https://other.example/@ann" class="u-url mention">@<span>ann</span></a></span>'
    )
    assert plain(f"<p>{name} see {link}</p>") == "@ann see https://example.org/a/b"
    assert plain("<p>2 &lt; 3 &gt; 1</p>") == "2 < 3 > 1"

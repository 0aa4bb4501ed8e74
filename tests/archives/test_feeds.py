"""Feeds, as servers of the Fediverse, Bluesky, Nitter and blogs give them."""

from __future__ import annotations

from html import escape
from pathlib import Path

import pytest

from app.archives import ArchiveError, source
from app.archives.records import Record
from app.archives.sift import Sieve
from tests.archives.reading import read, texts

DAY = "Fri, 14 Mar 2025 19:07:41 +0000"
NAMESPACES = " ".join(
    [
        'xmlns:content="http://purl.org/rss/1.0/modules/content/"',
        'xmlns:dc="http://purl.org/dc/elements/1.1/"',
        'xmlns:media="http://search.yahoo.com/mrss/"',
        'xmlns:atom="http://www.w3.org/2005/Atom"',
    ]
)
SEA, BIRD = "https://sea.example/@mayor", "https://bird.example/mayor/status"
SKY = "at://did:plc:abcdefghijklmnopqrstuvwx/app.bsky.feed.post/3kabcdefghijk"


def rss(*items: str) -> str:
    about = "<title>The Mayor</title><link>https://sea.example</link><description>Not a post</description>"
    return f'<?xml version="1.0"?>\n<rss version="2.0" {NAMESPACES}><channel>{about}{"".join(items)}</channel></rss>\n'


def item(description: str, address: str = "", more: str = "") -> str:
    """An item with a description that is escaped, as most are."""
    told = f"<guid>{address}</guid><link>{address}</link>" if address else ""
    return f"<item>{told}<pubDate>{DAY}</pubDate><description>{escape(description)}</description>{more}</item>"


def atom(*entries: str) -> str:
    held = "<title>The Mayor</title><id>tag:blog.example</id><summary>Not a post</summary>"
    named = 'xmlns="http://www.w3.org/2005/Atom" xmlns:thr="http://purl.org/syndication/thread/1.0"'
    named += ' xmlns:activity="http://activitystrea.ms/spec/1.0/"'
    return f"<feed {named}>{held}{''.join(f'<entry>{entry}</entry>' for entry in entries)}</feed>"


def test_posts_of_mastodon_are_read(tmp_path: Path) -> None:
    reading, records = read(tmp_path, rss(item("<p>Fog &amp; rain</p><p>No ferry<br />today</p>", f"{SEA}/109")))
    assert (reading.format, reading.unit) == ("feed", "tweet")
    assert records == [Record("Fog & rain\nNo ferry\ntoday", "sea.example/109", DAY, "mayor")]


@pytest.mark.parametrize("label", ["<strong>Inhaltswarnung:</strong> ", "<strong>CW</strong>", ""])
def test_what_stood_behind_a_warning_leaves_its_words_behind(tmp_path: Path, label: str) -> None:
    warned = f'<p>{label}the <img alt=":play:" src="x"> ends</p><hr /><p>the butler did it</p>'
    ruled = item("<p>Two chapters</p><hr><p>and a rule</p>", "https://blog.example/two")
    records = read(tmp_path, rss(item(warned, f"{SEA}/1"), item("<p>One</p>", f"{SEA}/2"), ruled))[1]
    assert [record.warned for record in records] == [True, False, False]
    assert "butler" not in repr(records)


def test_what_mastodon_adds_to_a_post_is_not_its_text(tmp_path: Path) -> None:
    boat = '<img rel="emoji" draggable="false" alt=":boat:" src="x.png" />'
    poll = '<p><radio disabled="disabled">Red</radio><br /><radio disabled="disabled">Blue</radio></p>'
    title = "<title>New status by mayor</title>"
    found = texts(tmp_path, rss(item(f"<p>Which colour {boat}?</p>{poll}", f"{SEA}/1"), item("", f"{SEA}/2", title)))
    assert found == ["Which colour ?", ""]


def gotosocial(title: str, text: str, did: str = "made a new post", number: int = 1) -> str:
    """An item as GoToSocial writes it: title and description are cut, and a post without words has no content."""
    quoted = f"@mayor@sea.example {did}" + (f': "{text}"' if text else "")
    cut = [told if len(told) <= most else told[: most - 3] + "..." for told, most in ((title, 128), (quoted, 256))]
    told = f"<title>{escape(cut[0])}</title>"
    told += f"<content:encoded><![CDATA[<p>{text}</p>]]></content:encoded>" if text else ""
    return item(cut[1], f"{SEA}/statuses/01HZ{number:022}", told)


def test_of_gotosocial_a_title_that_its_post_does_not_say_is_a_warning(tmp_path: Path) -> None:
    long = "Fog and rain. " * 30
    items = [
        gotosocial("Fog", "Fog"),
        gotosocial(long, long),
        gotosocial("", "", did="posted 1 attachment"),
        gotosocial("the play ends", "the butler did it"),
        gotosocial("the play ends", "", did="posted [2] attachments"),
        gotosocial("the butler", "the butler did it"),
    ]
    records = read(tmp_path, rss(*items))[1]
    assert [record.text for record in records] == ["Fog", long.strip(), "", "", "", ""]
    assert [record.warned for record in records] == [False, False, False, True, True, True]
    assert records[0].id == "sea.example/01HZ0000000000000000000001"


def test_posts_of_bluesky_are_plain_text(tmp_path: Path) -> None:
    told = "Fog at 5 < 6\nand <b> is no tag\n\n[contains quote post or other embedded content]"
    title = "<title>@mayor.sky.example post</title>"
    bare = f"<item><guid>{SKY}</guid>{title}</item>"
    records = read(tmp_path, rss(item(told, SKY, title), item("", SKY, title), bare))[1]
    known = "did:plc:abcdefghijklmnopqrstuvwx/3kabcdefghijk"
    assert records[0] == Record("Fog at 5 < 6\nand <b> is no tag", known, DAY)
    assert [record.text for record in records[1:]] == ["", None]


def nitter(title: str, description: str, who: str = "mayor", number: int = 1900000000000000000) -> str:
    more = f"<title>{title}</title><dc:creator>@{who}</dc:creator>"
    return item(description, f"https://bird.example/{who}/status/{number}#m", more)


def test_tweets_of_nitter_are_tweets_at_x(tmp_path: Path) -> None:
    assert read(tmp_path, rss(nitter("Fog", "<p>Fog<br>\n&amp; rain</p>")))[1] == [
        Record("Fog\n& rain", "1900000000000000000", DAY, "mayor")
    ]
    assert texts(tmp_path, rss(nitter("Fog", "<p>Fog\nand rain</p>"))) == ["Fog\nand rain"], "as it was once written"


def test_what_nitter_calls_a_retweet_is_somebody_elses(tmp_path: Path) -> None:
    retweeted = nitter("RT by @mayor: I am Ann", "<p>I am Ann</p>", who="ann")
    records = read(tmp_path, rss(retweeted, nitter("RT: they say", "<p>RT: they say</p>")))[1]
    assert [(record.text, record.reposted) for record in records] == [("", True), ("RT: they say", False)]
    assert Sieve("mayor").sift(records[0]) == "retweet"


@pytest.mark.parametrize(("whom", "leaning"), [("ann", "reply"), ("mayor", "thread")])
def test_answers_are_told_by_nitters_titles(tmp_path: Path, whom: str, leaning: str) -> None:
    (record,) = read(tmp_path, rss(nitter(f"R to @{whom}: At noon, then.", "<p>At noon, then.</p>")))[1]
    tweet = Sieve("mayor").sift(record)
    assert not isinstance(tweet, str)
    assert tweet.leaning == leaning


def test_of_a_quoting_tweet_and_of_a_film_the_words_of_the_account_alone_are_read(tmp_path: Path) -> None:
    film = '<a href="https://bird.example/x">\n<br>Video<br>\n  <img src="x" /></a>'
    quoted = "<hr/>\n<blockquote>\n<b>Ann (@ann)</b>\n<p>\n<p>Ann's words</p>\n</p>\n</blockquote>"
    found = texts(tmp_path, rss(nitter("So", f"<p>So they say</p>\n{film}\n{quoted}"), nitter("Image", "<p></p><img>")))
    assert found == ["So they say", ""]


def test_a_link_that_is_shown_shortened_is_whole(tmp_path: Path) -> None:
    link = '<a href="https://example.org/a/long?x=1&amp;y=2">example.org/a/lo…</a>'
    other = '<a href="https://example.org/b">Read on…</a>'
    assert texts(tmp_path, rss(nitter("See", f"<p>See {link}, or {other}</p>"))) == [
        "See https://example.org/a/long?x=1&y=2, or Read on…"
    ]


def test_of_a_blogs_item_the_content_comes_first_and_the_title_last(tmp_path: Path) -> None:
    content = "<content:encoded><![CDATA[<p>All of\n it</p>\n<pre>a\nb</pre>]]></content:encoded>"
    whole = item("Some of [&#8230;]", "https://blog.example/1", f"<title>Its name</title>{content}")
    other = "<media:description>A picture</media:description><atom:title>Another</atom:title>"
    titled = f"<item><title>Only a &amp;amp; b</title>{other}<description> </description></item>"
    records = read(tmp_path, rss(whole, titled, "<item><link>https://blog.example/3</link></item>"))[1]
    assert [record.text for record in records] == ["All of\n it\na\nb", "Only a &amp; b", None]
    assert records[0].id == "https://blog.example/1"


def test_line_breaks_in_html_are_spaces_and_in_text_are_lines(tmp_path: Path) -> None:
    found = texts(tmp_path, rss(item("<p>Fog\n  and rain</p>\n<p>No ferry</p>"), item("Fog\nand 2 < 3 > 1")))
    assert found == ["Fog and rain\nNo ferry", "Fog\nand 2 < 3 > 1"]


def test_html_that_nobody_escaped_is_read_as_html(tmp_path: Path) -> None:
    raw = "<item><description>Fog &amp; <b>rain</b> &lt;here&gt;<p>No ferry</p></description></item>"
    assert texts(tmp_path, rss(raw)) == ["Fog & rain <here>\nNo ferry"]


@pytest.mark.parametrize(
    ("told", "record"),
    [
        (f"<guid>{SEA}/1</guid>", Record("Fog", "sea.example/1", None, "mayor")),
        (f"<link>{SEA}/1</link><guid>7</guid>", Record("Fog", "sea.example/1", None, "mayor")),
        (f"<guid>{BIRD}/1</guid>", Record("Fog", "1", None, "mayor")),
        (f"<guid>7</guid><link>{BIRD}/1#m</link><dc:creator>@ann</dc:creator>", Record("Fog", "1", None, "ann")),
        ("<dc:creator>Ann</dc:creator>", Record("Fog")),
        ("<dc:creator>@ann</dc:creator>", Record("Fog", handle="ann")),
        ("<link>https://blog.example/</link>", Record("Fog")),
        ("<description type='image/png'/><description>\n</description>", Record("Fog")),
        ("<media:item><description>Rain</description></media:item>", Record("Fog")),
        ("<author><description>Rain</description></author>", Record("Fog")),
    ],
)
def test_what_stands_beside_the_text(tmp_path: Path, told: str, record: Record) -> None:
    assert read(tmp_path, rss(f"<item>{told}<description>Fog</description></item>"))[1] == [record]


def test_items_of_others_are_no_items(tmp_path: Path) -> None:
    strange = "<media:item><media:description>x</media:description><description>Rain</description></media:item>"
    assert texts(tmp_path, rss(strange, item("Fog"))) == ["Fog"]
    typed = "<item><description type='image/png'>Fog</description></item>"
    assert texts(tmp_path, rss(typed)) == ["Fog"], "RSS knows no such attribute"


def test_the_address_of_an_entry_is_that_of_its_page(tmp_path: Path) -> None:
    links = f"<link rel='self' href='{SEA}/1'/><link rel='enclosure' href='{SEA}/2'/><link href='{SEA}/3'/>"
    assert [record.id for record in read(tmp_path, atom(f"{links}<content>Fog</content>"))[1]] == ["sea.example/3"]


@pytest.mark.parametrize(
    ("guid", "known"),
    [
        ("12345", "guid/12345"),
        (" tag:blog.example,2024:1\n", "tag:blog.example,2024:1"),
        ("https://blog.example/" + "long-" * 20, None),
        ("", None),
    ],
)
def test_what_a_feed_knows_an_item_by_is_no_number_of_a_tweet(tmp_path: Path, guid: str, known: str | None) -> None:
    (record,) = read(tmp_path, rss(f"<item><guid>{guid}</guid><description>Fog</description></item>"))[1]
    assert record.id == known


def test_characters_by_the_names_that_html_has_for_them(tmp_path: Path) -> None:
    escaped = "<item><description>&lt;p&gt;Fog&nbsp;&amp; rain&hellip;&lt;/p&gt;</description></item>"
    inside = '<div xmlns="http://www.w3.org/1999/xhtml"><p>Fog &mdash; &lt;rain&gt;</p></div>'
    assert texts(tmp_path, rss(escaped)) == ["Fog & rain…"]
    assert texts(tmp_path, atom(f'<content type="xhtml">{inside}</content>')) == ["Fog — <rain>"]


def test_entries_of_atom_are_read(tmp_path: Path) -> None:
    dates = "<published>2025-03-14T19:07:41Z</published><updated>2025-04-01T00:00:00Z</updated>"
    linked = (
        '<link rel="self" href="https://x.example"/><link href="https://blog.example/1"/><id>tag:blog.example:1</id>'
    )
    div = '<div xmlns="http://www.w3.org/1999/xhtml"><p>Fog &amp; <a href="https://a.example/b?c&amp;d">a.exam…</a></p></div>'
    records = read(
        tmp_path,
        atom(
            f'{dates}{linked}<title>One</title><content type="html">&lt;p&gt;Fog&lt;/p&gt;</content>',
            '<updated>2025-04-01T00:00:00Z</updated><content type="text">a &lt;b&gt; c</content>',
            f'<content type="xhtml">{div}</content>',
            "<title>Only this</title><content type='image/png'>aGVsbG8=</content>",
            "<summary>In short</summary><author><name>mayor</name></author>",
            f"<link href='{SEA}/7'/><content type='html'>&lt;p&gt;Rain&lt;/p&gt;</content>",
        ),
    )[1]
    assert records == [
        Record("Fog", "tag:blog.example:1", "2025-03-14T19:07:41Z"),
        Record("a <b> c", None, "2025-04-01T00:00:00Z"),
        Record("Fog & https://a.example/b?c&d"),
        Record("Only this"),
        Record("In short"),
        Record("Rain", "sea.example/7", None, "mayor"),
    ]


def test_shares_and_answers_are_told_by_atom(tmp_path: Path) -> None:
    verb = "<activity:verb>http://activitystrea.ms/schema/1.0/share</activity:verb>"
    posted = verb.replace("share", "post")
    answer = '<thr:in-reply-to ref="tag:other.example:5" href="https://other.example/5"/>'
    records = read(
        tmp_path,
        atom(
            f"{verb}<content>Ann's words</content>",
            f"{posted}<content>One</content>",
            f"{answer}<content>Two</content>",
        ),
    )[1]
    assert [(record.text, record.reposted) for record in records] == [("", True), ("One", False), ("Two", False)]
    assert [record.reply_to for record in records] == [None, None, "https://other.example/5"]
    assert [record.in_reply for record in records] == [False, False, True]


@pytest.mark.parametrize(
    "before",
    [
        "",
        "\n\n ",
        '<?xml version="1.0" encoding="ISO-8859-1"?><?xml-stylesheet href="a.xsl"?>\n<!-- <html> -->\n',
    ],
)
def test_a_feed_is_known_by_its_outermost_element(tmp_path: Path, before: str) -> None:
    for whole in (rss(item("Fog ü")).partition("\n")[2], atom("<content>Fog ü</content>")):
        assert texts(tmp_path, before + whole) == ["Fog ü"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_what_a_feed_says_of_its_encoding_does_not_count(tmp_path: Path, encoding: str) -> None:
    told = rss(item("Fog ü")).replace('"1.0"', '"1.0" encoding="windows-1252"', 1)
    assert texts(tmp_path, told.encode(encoding)) == ["Fog ü"]


def test_prefixes_are_free_to_choose(tmp_path: Path) -> None:
    entry = "<a:entry><a:content>Fog</a:content></a:entry>"
    assert texts(tmp_path, f'<a:feed xmlns:a="http://www.w3.org/2005/Atom">{entry}</a:feed>') == ["Fog"]
    assert texts(tmp_path, rss(item("Fog")).replace("<rss ", '<rss xmlns="http://backend.example" ')) == ["Fog"]


def test_a_feed_longer_than_what_is_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEAD", "PIECE"):
        monkeypatch.setattr(source, name, 200)
    found = texts(tmp_path, rss(*(item(f"<p>Fog ü number {n}</p>", f"{SEA}/{n}") for n in range(90))))
    assert found == [f"Fog ü number {n}" for n in range(90)]


def refused(folder: Path, content: str | bytes, format: str = "auto") -> str:
    with pytest.raises(ArchiveError) as error:
        read(folder, content, format)
    assert str(error.value).isprintable()
    return str(error.value)


@pytest.mark.parametrize("piece", [200, 1 << 18])
@pytest.mark.parametrize("before", ["", "\ufeff", "\n\n"])
def test_broken_xml_is_told_by_its_line_and_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, piece: int
) -> None:
    for name in ("HEAD", "PIECE"):
        monkeypatch.setattr(source, name, piece)
    good = before + rss(*(item("Fog ü") for _ in range(9))).removesuffix("</channel></rss>\n") + "\n<item>"
    lines = good.count("\n") + 1
    at = f"broken XML in archive.dat at line {lines}, column"
    assert refused(tmp_path, good + "&fog;</item></channel></rss>").startswith(
        f"{at} 7: undefined entity, found '&fog;"
    )
    assert refused(tmp_path, good + "</channel>").startswith(f"{at} 9: mismatched tag, found 'channel>")
    utf_16 = (good.removeprefix("\ufeff") + "</channel>").encode("utf-16")
    assert refused(tmp_path, utf_16).startswith(f"{at} 9: mismatched tag, found ")


@pytest.mark.parametrize("cut", [-9, -20, -60, -90])
def test_a_feed_that_was_cut_short_is_told_as_such(tmp_path: Path, cut: int) -> None:
    told = refused(tmp_path, rss(item("Fog"), item("Rain"))[:cut])
    assert "the file is cut short, expected the rest of the feed, found the end of the file" in told
    assert told.endswith("; nothing was imported")


@pytest.mark.parametrize(
    "type",
    [
        "<!DOCTYPE rss>",
        '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://elsewhere.example/rss.dtd">',
        '<!DOCTYPE rss [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]>',
        '<!DOCTYPE rss [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE rss [<!ENTITY % a SYSTEM "http://elsewhere.example/a.dtd"> %a;]>',
        '<!-- rss --><!DOCTYPE any [<!ENTITY a "aaaa">]>',
    ],
)
@pytest.mark.parametrize("format", ["auto", "feed"])
def test_a_document_type_is_refused_whatever_it_holds(tmp_path: Path, type: str, format: str) -> None:
    content = rss("<item><description>&a;&c;</description></item>").replace("\n", type, 1)
    told = refused(tmp_path, content, format)
    assert told.startswith("archive.dat declares a document type (<!DOCTYPE): expected an RSS or Atom feed without one")


def test_a_feed_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    assert ": nested too deeply, found '<a>" in refused(tmp_path, rss("<item>" + "<a>" * 1000))
    names = "".join(f"<a{n}/>" for n in range(20_000))
    assert "more than 10,000 names of elements" in refused(tmp_path, rss(names))
    prefixes = "".join(f'<a xmlns:a{n}="x"/>' for n in range(20_000))
    assert "more than 10,000 names of elements" in refused(tmp_path, rss(prefixes))
    assert "expected tags of at most 1 MiB" in refused(tmp_path, rss(f'<a b="{"x" * 3_000_000}"/>'))
    assert "expected tags of at most 1 MiB" in refused(tmp_path, rss(f"<!--{'x' * 3_000_000}-->"))


def test_a_text_without_an_end_is_too_long_whatever_follows(tmp_path: Path) -> None:
    held = read(tmp_path, rss(item("x" * 3_000_000), item("<p>" * 1_000_000), item("Fog")))[1]
    assert [Sieve(None).sift(record) for record in held[:2]] == ["too long", "too long"]
    assert max(len(record.text or "") for record in held) < 1_000_000
    assert held[2].text == "Fog"


@pytest.mark.slow
def test_markup_that_never_ends_takes_no_time(tmp_path: Path) -> None:
    for torn in ("<a ", "<a href='", '<a href="">x', "<p>", "<radio>", "<p><strong>", "<p><img ", "…</a>", "<hr"):
        whole = torn * (90_000 // len(torn))
        held = read(tmp_path, rss(item(whole, f"{SEA}/1"), item(whole, f"{BIRD}/1"), item(whole)))[1]
        assert all(len(record.text or "") <= 200_000 for record in held)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (
            "<?xml version='1.0'?><opml version='2.0'><body/></opml>",
            "<opml> (a list of feeds, each to be got by itself)",
        ),
        ("<?xml version='1.0'?>\n<!-- a --><r:RDF xmlns:r='x'><item/></r:RDF>", "<RDF> (RSS 1.0)"),
        ("<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "<Error>"),
        ("<feed xmlns='http://purl.org/atom/ns#'><entry/></feed>", "<feed> of http://purl.org/atom/ns#"),
    ],
)
def test_other_xml_is_told_by_its_outermost_element(tmp_path: Path, content: str, found: str) -> None:
    told = refused(tmp_path, content)
    assert told.startswith(f"archive.dat is XML, but no feed: found {found} outermost, expected <rss>, or <feed> of ")
    assert "is it a message that stands for a download?" in told


@pytest.mark.parametrize(
    "page", ["<!DOCTYPE html><p>", "<?xml version='1.0'?>\n<!DOCTYPE html PUBLIC 'x'>", "<?xml version='1.0'?><html>"]
)
def test_a_page_of_html_is_no_feed(tmp_path: Path, page: str) -> None:
    assert "is a page of markup" in refused(tmp_path, page)


def test_a_feed_without_tweets_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, rss()).startswith("no rows in archive.dat: expected tweets in ")
    told = refused(tmp_path, rss("<item><pubDate>x</pubDate></item>"))
    assert told == (
        "no tweets in archive.dat: expected items with a description, a content or a title; found none in 1 items"
    )


def test_what_is_said_to_be_a_feed_and_is_none(tmp_path: Path) -> None:
    told = refused(tmp_path, '[{"text": "One"}]', format="feed")
    assert told.startswith("broken XML in archive.dat at line 1, column 1: ")
    assert refused(tmp_path, "<html><p>One</p></html>", format="feed").startswith("archive.dat is XML, but no feed: ")
    assert len(texts(tmp_path, "<feed me> said Ann\n<Ben> No\n", format="text")) == 2

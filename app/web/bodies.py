"""What the API takes and gives: the shapes, their words for the documentation, and reading a request's body."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.web.problems import MEDIA_TYPE, Problem, ProblemBody

Reason = Literal["spelling", "sense", "repeats", "style", "other"]
Token = Annotated[str, Field(max_length=1000)]


class _Ask(BaseModel):
    # Strict: true is no number, and a misspelt field is an error rather than a default.
    model_config = ConfigDict(extra="forbid", strict=True)


class RoundAsk(_Ask):
    """Which round is wanted."""

    archive: str | None = Field(default=None, max_length=64, description="slug of the archive; default: the main one")
    mode: Literal["endless", "daily", "challenge", "practice"] = Field(default="endless", description="the way to play")
    mixed: bool = Field(default=False, description="endless: from all archives in turn")
    day: str | None = Field(default=None, max_length=10, description="daily: its UTC date; default: today")
    challenge: str | None = Field(default=None, max_length=32, description="challenge: the word in its address")
    generator: str | None = Field(default=None, max_length=12, description="practice: the generator, such as v3")
    after: Token | None = Field(
        default=None,
        description="the open round's token: asks for the one after it, ahead of time; where it ran out, for its place"
        " anew",
    )


class GuessAsk(_Ask):
    """What the player takes for the tweet."""

    round: Token = Field(description="the round's token")
    pick: int = Field(ge=0, le=1, description="the card that the player takes for the tweet: 0 first, 1 second")
    recognised: bool = Field(default=False, description="the player knew this tweet before")
    shown_ms: int | None = Field(default=None, ge=0, le=2**31 - 1, description="milliseconds that the cards were shown")


class RemarkAsk(_Ask):
    """What the player says of a round after the verdict; what is left out stays as it was."""

    reason: Reason | None = Field(default=None, description="what gave the sample away")
    report: str | None = Field(default=None, max_length=500, description="what is wrong with a card, in words")
    round: Token | None = Field(
        default=None, description="the round's token; says whose it was where the browser takes no cookie"
    )


class ArchiveBody(BaseModel):
    """An archive, as a round names it."""

    slug: str
    handle: str | None = Field(description="the account, without @; null for texts that no account posted")
    name: str


class ListedArchive(ArchiveBody):
    """An archive that can be played."""

    description: str | None = Field(description="a sentence on whose texts these are; null: none")
    unit: Literal["tweet", "passage"]
    is_demo: bool
    is_open: bool = Field(description="whether a round can be dealt now")
    size: int = Field(description="tweets in it")
    champion: str | None = Field(description="the generator that plays, such as v7; null before the first")
    fool_rate: float | None = Field(description="share of players' guesses that it fooled; null below 20 guesses")


class ArchivesBody(BaseModel):
    """The archives, the main one first."""

    archives: list[ListedArchive]


class CardBody(BaseModel):
    """A card: nothing but its text."""

    text: str


class RoundBody(BaseModel):
    """An open round."""

    round: str = Field(description="the sealed round; send it back with the guess")
    archive: ArchiveBody
    mode: Literal["endless", "daily", "challenge", "practice", "class"]
    cards: list[CardBody] = Field(min_length=2, max_length=2, description="one tweet, one sample, in random order")
    expires_at: str = Field(description="when the round can no longer be guessed at (UTC)")
    repeat: bool = Field(
        default=False, description="true when the deck is through and the player met this tweet before"
    )


class SkillBody(BaseModel):
    """Of average samples, the share beside which a player spots the tweet, and its 95 % interval."""

    share: float
    low: float
    high: float


class VerdictBody(BaseModel):
    """What came of a guess."""

    guess: str = Field(description="the guess's id")
    verdict: Literal["spotted", "fooled"]
    tweet: Literal[0, 1] = Field(description="which card was the tweet")
    posted_at: str | None = Field(description="when it was posted (UTC); null where unknown")
    url: str | None = Field(description="where the tweet stands; null for the demo and where unknown")
    generator: str = Field(description="which generator wrote the sample")
    fool_rate: float | None = Field(description="share of players that this sample fooled; null below 5 guesses")
    guesses: int = Field(description="players' guesses at this sample, this one included")
    streak: int = Field(description="tweets that the player spotted in a row")
    played: int = Field(description="rounds answered so far: in the set, or in this archive and mode")
    spotted: int = Field(description="and of them, in how many the tweet was spotted")
    skill: SkillBody | None = Field(
        default=None,
        description="of the player, after this guess; missing in answers of old",
    )


class SittingBody(BaseModel):
    """Somebody's result in a challenge."""

    name: str | None = Field(description="the nickname; null: they have none")
    is_you: bool
    is_maker: bool = Field(description="whose rounds the challenge was made of")
    verdicts: str = Field(description="round by round: s spotted, f fooled, - taken out")
    spotted: int


class ResultBody(BaseModel):
    """How the player of this cookie stands in a set."""

    mode: Literal["daily", "challenge", "first"]
    archive: str
    name: str = Field(description="a daily's UTC date, a challenge's word")
    played: int
    of: int
    spotted: int
    verdicts: str = Field(description="round by round: s spotted, f fooled, - taken out")
    is_through: bool
    players: int = Field(description="who played it to its end; 0 while you have not")
    average: float | None = Field(description="how many rounds they spotted, on average; null while you have not")
    beaten: float | None = Field(description="share of the other players that spotted fewer; null below five of them")
    share: str | None = Field(description="a text to share that gives no card away; null while you have not")
    sittings: list[SittingBody] = Field(description="a challenge's players, once you are through")


class ChallengeAsk(_Ask):
    """Which ten rounds a challenge is made of: the player's last ten in an archive."""

    archive: str | None = Field(default=None, max_length=64, description="slug of the archive; default: the main one")


class ChallengeBody(BaseModel):
    """A challenge that was made."""

    challenge: str
    url: str = Field(description="its page, to be sent to a friend")


class SeatBody(BaseModel):
    """How a player does in one archive."""

    archive: str
    guesses: int
    spotted: int
    streak: int
    best_streak: int


class PlayerBody(BaseModel):
    """How a player does."""

    guesses: int
    spotted: int
    nickname: str | None
    skill: SkillBody | None = Field(description="null below ten guesses")
    archives: list[SeatBody]


class BoardRow(BaseModel):
    """One player on a board."""

    place: int = Field(description="how many stand above, and one: who are level share it")
    name: str | None = Field(description="the nickname; null: they have none")
    surely: float = Field(description="the low end of the interval of their share: what the ranking goes by")
    share: float
    guesses: int
    spotted: int
    best_streak: int
    is_you: bool


class BoardBody(BaseModel):
    """Who spots best."""

    archive: str
    span: Literal["day", "week"]
    rows: list[BoardRow]
    your_guesses: int | None = Field(description="ranked guesses of yours in the span")
    your_place: int | None = Field(description="null: not ranked, or beyond the first thousand")


Body = TypeVar("Body", bound=BaseModel)


async def parsed(request: Request, model: type[Body]) -> Body:
    """The request's JSON body.

    Raises:
        Problem: 422, naming the first field that is not as expected.
    """
    body = await request.body()
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        words = f"{where}: {first['msg']}" if where else first["msg"]
        raise Problem(422, "bad-request", words) from None


def asks(model: type[BaseModel], example: dict[str, Any], *, required: bool = True) -> dict[str, Any]:
    """The documentation of a JSON body, for `openapi_extra`."""
    content = {"application/json": {"schema": model.model_json_schema(), "example": example}}
    return {"requestBody": {"required": required, "content": content}}


def refuses(**statuses: str) -> dict[int | str, dict[str, Any]]:
    """The documentation of problems: `_404="no such archive"`."""
    content = {MEDIA_TYPE: {"schema": ProblemBody.model_json_schema()}}
    return {int(name[1:]): {"description": words, "content": content} for name, words in statuses.items()}

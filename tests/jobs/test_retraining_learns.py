"""What players believe becomes what is written: by decoding, by a scorer, by lessons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from believers import LETTER, add_believers, believed, listening_generator, listening_writer
from factories import LONG_AGO
from sqlalchemy import insert, select, update

from app.db import generators, labels
from app.db.archives import Archive
from app.db.generators import CHAMPION, Decided, Generator, Recipe
from app.db.session import reading, writing
from app.db.tables import guesses, label_sets, remarks, samples
from app.game.choice import BEST_OF
from app.game.rounds import NEAR
from app.jobs.freezing import freeze_labels, read_set
from app.jobs.learning import NO_REPEAT, Choosing, choose_draw, lessons_of, prefers, train_choice
from app.jobs.promoting import promote
from app.jobs.restocking import restock
from app.jobs.retraining import Errand, retrain
from app.jobs.scorers import read_scorer
from app.jobs.supervising import Budget
from app.jobs.vetting import scorer_folder
from app.jobs.workshop import Interrupted, JobError, Skipped, Workshop
from model.checkpoint import write_checkpoint

pytestmark = pytest.mark.process


@pytest.fixture
def generator(workshop: Workshop, archive: Archive) -> Generator:
    listening = listening_generator(workshop, archive)
    restock(workshop, archive, listening, 190)
    return listening


def champion(workshop: Workshop, archive: Archive) -> Generator:
    with reading(workshop.engine) as connection:
        found = generators.in_arm(connection, archive.id, CHAMPION)
    assert found is not None
    return found


def candidate(workshop: Workshop, archive: Archive) -> Generator:
    with reading(workshop.engine) as connection:
        return generators.listing(connection, archive.id)[-1]


def test_a_retraining_with_a_scorer_shelves_more_of_what_players_believe(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    add_believers(workshop, archive, 900, crowd=60)

    done = retrain(workshop, archive, Errand(job_id=1, budget=Budget(), ways=("scorer",)))

    new = candidate(workshop, archive)
    promote(workshop, archive, new, decided=Decided("promoted", "test"), job_id=2)
    assert (new.name, done.labels, done.lessons) == ("v2", 900, 0)
    assert believed(workshop, new.id) > 1.15 * believed(workshop, generator.id)
    assert new.decoding["best_of"] == BEST_OF
    assert new.scorer_sha256 is not None
    assert read_scorer(scorer_folder(workshop, archive), new.scorer_sha256).body == generator.checkpoint_sha256
    assert (new.checkpoint_key, new.parent_id) == (generator.checkpoint_key, generator.id)
    assert new.card["scorer"]["fooled_auc"] > 0.6
    assert "foretells which samples fool" in done.learned


def test_a_tuned_network_writes_only_if_the_scorer_prefers_it(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    add_believers(workshop, archive, 900, crowd=60)
    lines = read_set(workshop, freeze_labels(workshop, archive)["id"])
    given = {"seed": 0, "should_stop": lambda: False}
    choosing = train_choice(workshop, archive, lines, generator, generator, **given)
    same = replace(generator, decoding=choosing.decoding, scorer_sha256=choosing.scorer)
    checkpoint = listening_writer()
    checkpoint.weights["output.bias"][checkpoint.vocab.encode(LETTER)] += 1
    write_checkpoint(workshop.folder("gannet/tuned"), checkpoint)

    assert prefers(workshop, archive, generator, replace(same, checkpoint_key="gannet/tuned"), 0)[0]
    is_preferred, words = prefers(workshop, archive, generator, same, 0)
    assert not is_preferred
    assert "+0.00" in words


def test_players_who_guess_teach_no_scorer(workshop: Workshop, archive: Archive, generator: Generator) -> None:
    add_believers(workshop, archive, 600, honest=False)

    with pytest.raises(Skipped, match="no better than chance"):
        retrain(workshop, archive, Errand(job_id=1, budget=Budget(), ways=("scorer",)))
    assert champion(workshop, archive) == generator


def test_many_labels_of_few_players_teach_no_scorer_and_fail_nothing(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    add_believers(workshop, archive, 300, crowd=8)

    with pytest.raises(Skipped, match="labels of 8 players, a scorer needs 10 or more"):
        retrain(workshop, archive, Errand(job_id=1, budget=Budget(), ways=("scorer",)))


def test_with_few_labels_one_step_of_the_decoding_is_tried(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    add_believers(workshop, archive, 150)

    done = retrain(workshop, archive, Errand(job_id=1, budget=Budget()))

    new = candidate(workshop, archive)
    assert (new.decoding["temperature"], new.decoding["top_p"]) == (0.9, 1.0)
    assert (new.checkpoint_sha256, new.scorer_sha256) == (generator.checkpoint_sha256, None)
    assert "one step from it is tried" in done.learned


@pytest.mark.parametrize(
    "decided",
    [
        Decided("held", "retrain", {"gates": [{"name": "Self-BLEU", "outcome": "failed"}]}),
        Decided("rolled back", "canary", {"alarm": "reports jumped"}),
    ],
    ids=["a gate", "an alarm"],
)
def test_a_step_that_failed_does_not_stand_in_the_way_of_others(
    workshop: Workshop, archive: Archive, generator: Generator, decided: Decided
) -> None:
    add_believers(workshop, archive, 150)
    lines = read_set(workshop, freeze_labels(workshop, archive)["id"])
    first = choose_draw(workshop, archive, lines, generator, generator).decoding
    with writing(workshop.engine) as connection:
        same = ("checkpoint_key", "checkpoint_sha256", "vetting_version", "alphabet", "bits_per_character")
        recipe = Recipe(decoding=first, **{name: getattr(generator, name) for name in same})
        made = generators.register(connection, archive.id, recipe, LONG_AGO)[0]
        generators.note_decision(connection, archive.id, made.id, decided, LONG_AGO)

    second = choose_draw(workshop, archive, lines, generator, generator).decoding

    assert (first["temperature"], first["top_p"]) == (0.9, 1.0)
    assert (second["temperature"], second["top_p"]) == (1.0, 0.98)


def test_what_goes_back_to_a_generator_that_was_there_before_is_told_of_as_well(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    """The anchor, which no retraining made, fooled more than the champion that followed it."""
    add_believers(workshop, archive, 300)
    with writing(workshop.engine) as connection:
        same = ("checkpoint_key", "checkpoint_sha256", "vetting_version", "alphabet", "bits_per_character")
        colder = Recipe(
            decoding=generator.decoding | {"temperature": 0.9}, **{name: getattr(generator, name) for name in same}
        )
        made = generators.register(connection, archive.id, colder, LONG_AGO)[0]
        spotted = select(guesses.c.id).where(guesses.c.verdict == "spotted").limit(120)
        connection.execute(update(guesses).where(guesses.c.id.in_(spotted)).values(generator_id=made.id))
        generators.crown(connection, archive.id, made.id, 99, LONG_AGO)

    done = retrain(workshop, archive, Errand(job_id=1, budget=Budget()))

    assert (done.generator, done.champion, done.labels) == (generator.name, made.name, 300)
    with reading(workshop.engine) as connection:
        assert labels.learned_up_to(connection, archive.id) == labels.newest_guess(connection, archive.id)
    assert "temperature 1, top-p 1 fooled" in done.learned


def test_too_few_labels_of_the_present_decoding_change_nothing(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    add_believers(workshop, archive, 60)

    with pytest.raises(Skipped, match=r"has .* labels by chance, 100 are needed"):
        retrain(workshop, archive, Errand(job_id=1, budget=Budget()))


def test_labels_that_changed_nothing_are_not_weighed_anew_before_as_many_came(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    add_believers(workshop, archive, 60)
    with pytest.raises(Skipped, match="labels by chance"):
        retrain(workshop, archive, Errand(job_id=1, budget=Budget()))
    with pytest.raises(Skipped, match=r"^0 new labels teach, 50 are needed"):
        retrain(workshop, archive, Errand(job_id=2, budget=Budget()))

    add_believers(workshop, archive, 20, seed=1)
    with pytest.raises(Skipped, match="labels by chance"):
        retrain(workshop, archive, Errand(job_id=3, budget=Budget(), least_labels=20))
    assert len(list(workshop.folder("gannet/labels").iterdir())) == 1, "of what taught nobody the last file stays"
    with reading(workshop.engine) as connection:
        assert connection.scalars(select(label_sets.c.counts)).one() == {"accepted": 80}


def test_a_retraining_that_failed_leaves_its_labels_new(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    add_believers(workshop, archive, 150)

    def step(name: str, do: Callable[[], Any]) -> Any:
        if name == "evaluate":
            raise JobError("the disk is full")
        return do()

    with pytest.raises(JobError, match="disk is full"):
        retrain(workshop, archive, Errand(job_id=1, budget=Budget(), step=step))
    with reading(workshop.engine) as connection:
        assert labels.learned_up_to(connection, archive.id) == 0


def test_rounds_near_a_players_level_judge_no_decoding(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    add_believers(workshop, archive, 150)
    with writing(workshop.engine) as connection:
        connection.execute(update(guesses).values(policy_version=NEAR))

    with pytest.raises(Skipped, match="has 0 labels by chance, 100 are needed"):
        retrain(workshop, archive, Errand(job_id=1, budget=Budget()))


def test_a_retraining_that_is_stopped_while_the_scorer_learns_says_so(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    add_believers(workshop, archive, 300)
    names: list[str] = []

    def step(name: str, do: Callable[[], Any]) -> Any:
        names.append(name)
        return do()

    errand = Errand(
        job_id=1, budget=Budget(), ways=("scorer",), step=step, should_stop=lambda: names[-1] == "learn to choose"
    )
    with pytest.raises(Interrupted):
        retrain(workshop, archive, errand)
    assert names[-1] == "learn to choose"


def test_what_players_say_repeats_itself_is_no_lesson_and_sets_the_guard_closer(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    ids = add_believers(workshop, archive, 400)
    lines = read_set(workshop, freeze_labels(workshop, archive)["id"])
    before = lessons_of(workshop, archive, lines, {})
    assert choose_draw(workshop, archive, lines, generator, generator).decoding["no_repeat"] == 24
    with writing(workshop.engine) as connection:
        fooling = connection.execute(
            select(guesses.c.id, guesses.c.sample_id).where(guesses.c.id.in_(ids), guesses.c.verdict == "fooled")
        ).all()
        said = [{"guess_id": guess, "reason": "repeats", "said_at": LONG_AGO} for guess, _ in fooling[:20]]
        connection.execute(insert(remarks), said)
        texts = set(labels.sample_texts(connection, {sample for _, sample in fooling[:20]}).values())

    after = lessons_of(workshop, archive, lines, {})

    assert texts & {lesson.text for lesson in before}
    assert not texts & {lesson.text for lesson in after}
    assert choose_draw(workshop, archive, lines, generator, generator).decoding["no_repeat"] == NO_REPEAT


def test_what_one_player_says_sets_no_guard_and_it_is_loosened_again(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    ids = add_believers(workshop, archive, 400)
    lines = read_set(workshop, freeze_labels(workshop, archive)["id"])
    closer = replace(generator, decoding={**generator.decoding, "no_repeat": NO_REPEAT})
    with writing(workshop.engine) as connection:
        who = connection.scalar(select(guesses.c.player_id).where(guesses.c.id == ids[0]))
        own = connection.scalars(select(guesses.c.id).where(guesses.c.player_id == who))
        said = [{"guess_id": each, "reason": "repeats", "said_at": LONG_AGO} for each in own]
        connection.execute(insert(remarks), said)
    for champion in (generator, closer):
        assert choose_draw(workshop, archive, lines, generator, champion).decoding["no_repeat"] == 24


@pytest.mark.usefixtures("generator")
def test_no_lesson_is_what_somebody_hid_or_what_could_be_no_card_today(
    workshop: Workshop, archive: Archive, tmp_path: Path
) -> None:
    add_believers(workshop, archive, 400)
    lines = read_set(workshop, freeze_labels(workshop, archive)["id"])
    first, second, *_ = lessons_of(workshop, archive, lines, {})
    with writing(workshop.engine) as connection:
        hidden = update(samples).where(samples.c.text == first.text)
        connection.execute(hidden.values(hidden_at=LONG_AGO, hidden_reason="slander"))
    word = max(second.text.split(), key=len)
    (tmp_path / "blocked.txt").write_text(word + "\n")
    stricter = replace(workshop, blocked_words=tmp_path / "blocked.txt")

    left = {lesson.text for lesson in lessons_of(stricter, archive, lines, {})}

    assert left
    assert first.text not in left
    assert second.text not in left


def test_what_was_chosen_can_be_kept_as_plain_values() -> None:
    choosing = Choosing({"temperature": 0.9}, "ab", {"auc": 0.6}, {7: 0.25}, "words")

    assert Choosing.from_json(choosing.to_json()) == choosing

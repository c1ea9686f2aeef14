"""The model page: which model runs, how often it is right, what it takes for what, its limits."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from emorec.emotions import UNSURE
from emorec.errors import EmorecError
from emorec.model import contract, shelf
from emorec.model.contract import Contract
from emorec.model.evaluation import ANSWERS, Evaluation
from emorec.model.network import ACTIVATIONS, TITLES
from emorec.model.shelf import Comparison
from emorec.model.shown import in_words
from emorec.model.store import path_of
from emorec.pages.parts.deployment import deployment
from emorec.pages.parts.engine import choose, chosen, live_name, recognizer
from emorec.pages.parts.language import worded
from emorec.percent import percent
from emorec.words import N_, _, numeral

_SPLITS = {
    "PrivateTest": N_("These faces were kept for the end: nothing was chosen by them."),
    "PublicTest": N_("The model was chosen by these faces, so it may do a little worse on others."),
}
_ORDER = ("shown", "fer2013", "ferplus")
"""The answers, the one that the visitor sees first."""

_LIMITS = N_("""
- It names how a face **looks**, which is not what a person feels.
- It learned from small grey pictures that a web search for words of emotion had found, many of
  them posed. Other light, angles and cameras are harder for it.
- Its labels are noisy: people often disagree about one face, and so do the two sets of labels.
- Who is in those pictures was never recorded. How the error differs between groups of people is
  therefore unknown.
- Below its threshold of confidence it says **{unsure}**; above, it is still wrong at times.
- Not for use on people at work or in education: see the law on the **About** page.
""")


def render() -> None:
    """Show the page."""
    st.title(_("Model"))
    st.caption(
        _(
            "Reads the **apparent expression** of every face, not inner feeling. Here is which"
            " model does, and how often it is right."
        )
    )
    _choice()
    try:
        model = recognizer().model
        measured = shelf.measured(model.file, model.contract)
        compared = shelf.activations(model.file.parent)
    except EmorecError as error:
        st.error(str(error))
        return
    live = live_name()
    if live != chosen():
        st.caption(
            _(
                "Live pictures are read by **{live}**: on the app's processor **{name}** would take"
                " too long for each face."
            ).format(live=live, name=chosen())
        )
    _quality(model.contract, measured)
    st.header(_("What is shown"))
    st.markdown(_shown(model.contract, measured))
    if compared is not None:
        _activations(compared)
    st.header(_("Limits"))
    st.markdown(_(_LIMITS).format(unsure=_(UNSURE)))


def _choice() -> None:
    """Let the visitor choose the model that every page uses from now on."""
    names = shelf.names(deployment().runtime)
    if len(names) < 2:
        return
    st.radio(
        _("The model that runs, for you, on every page"),
        names,
        index=names.index(chosen()) if chosen() in names else None,
        captions=[_caption(name) for name in names],
        horizontal=True,
        key="model choice",
        on_change=lambda: choose(st.session_state["model choice"]),
    )


def _caption(name: str) -> str:
    try:
        found = contract.read(path_of(name, deployment().runtime).with_suffix(".json"))
    except EmorecError:
        return _("cannot be used")
    return f"{_(TITLES[found.network])}, {found.created}"


def _quality(found: Contract, measured: Mapping[str, Evaluation]) -> None:
    from emorec.drawing import measures  # late: Altair takes 46 MB

    st.header(_("How good {name} is").format(name=found.name))
    if not measured:
        st.info(
            _(
                "How often **{name}** is right has not been recorded yet. "
                "`emorec evaluate --record` measures it."
            ).format(name=found.name),
            icon=":material/straighten:",
        )
        return
    splits = [split for split in _SPLITS if split in measured]
    splits += [split for split in measured if split not in _SPLITS]
    split = splits[0]
    if len(splits) > 1:
        split = st.segmented_control(
            _("Measured on"), splits, default=split, required=True, key=f"{found.name} split"
        )
    evaluation = measured[split]
    labels = evaluation.fer2013
    faces = _("{n} faces.").format(n=numeral(f"{labels.n:,}"))
    st.caption(" ".join(filter(None, (faces, _(_SPLITS.get(split, ""))))))
    st.markdown(_in_short(evaluation))
    _metrics(evaluation)
    st.header(_("What it mixes up"))
    answers = evaluation.answers()
    names = [name for name in _ORDER if name in answers]
    name = names[0]
    if len(names) > 1:
        kind = st.segmented_control(
            _("Which answer"),
            names,
            required=True,
            format_func=lambda name: _(ANSWERS[name].title),
            label_visibility="collapsed",
            key=worded(f"{found.name} kind", name),
        )
        name = kind or name
    picked = answers[name]
    st.caption(
        _(
            "{answer}. {n} faces: {accuracy} right, macro-F1 {macro_f1}, calibration error {ece};"
            " says neutral of {said}, the labels of {true}."
        ).format(
            answer=picked.answer,
            n=numeral(f"{picked.n:,}"),
            accuracy=percent(picked.accuracy, 1),
            macro_f1=percent(picked.macro_f1, 1),
            ece=percent(picked.ece, 1),
            said=percent(picked.said_neutral, 1),
            true=percent(picked.true_neutral, 1),
        )
    )
    left, right = st.columns(2, gap="large")
    left.markdown(_("A row is a label, its cells what the model said of those faces."))
    left.altair_chart(
        measures.on_page(measures.confusion(picked)),
        key="confusion",
        alt=_("What the model said of the faces of each label"),
    )
    right.markdown(
        _(
            "**Recall**: how many faces of an emotion it finds. "
            "**Precision**: how often it is right when it says so."
        )
    )
    right.altair_chart(
        measures.on_page(measures.per_class(picked)),
        key="per class",
        alt=_("Recall and precision of each emotion"),
    )
    if labels.corrupted:
        st.markdown(_("**What poor pictures cost**"))
        st.markdown(
            _(
                "Accuracy of the {answer} on the same faces, spoiled; the broken line is that on"
                " the faces as they are."
            ).format(answer=_(labels.answer.title))
        )
        chart = measures.corrupted(labels.accuracy, labels.corrupted)
        st.altair_chart(
            measures.on_page(chart), key="corrupted", alt=_("Accuracy on spoiled faces")
        )


def _in_short(evaluation: Evaluation) -> str:
    """Return in plain words how often the model is right."""
    shown, labels = evaluation.shown, evaluation.fer2013
    if shown is None:
        times = round(100 * labels.accuracy)
        return _("**Right {n} times out of 100**, by the labels of its data.").format(n=times)
    return _(
        "**Right {n} times out of 100, as people judge:** so often it shows what most of ten"
        " people said of the same face."
    ).format(n=round(100 * shown.accuracy))


def _metrics(evaluation: Evaluation) -> None:
    labels, shown = evaluation.fer2013, evaluation.shown
    accuracy, macro_f1, ece, people = st.columns(4)
    accuracy.metric(
        _("Accuracy"),
        percent(labels.accuracy, 1),
        help=_("How often its likeliest emotion is FER2013's label."),
    )
    macro_f1.metric(
        _("Macro-F1"),
        percent(labels.macro_f1, 1),
        help=_("The same by a mean in which rare emotions count as much as common ones."),
    )
    ece.metric(
        _("Calibration error"),
        percent(labels.ece, 1),
        help=_("How far that head's confidence is from how often it is right."),
    )
    if shown is not None:
        people.metric(
            _("Agrees with people"),
            percent(shown.accuracy, 1),
            help=_("How often what is shown is what most of FER+'s voters said, sure or unsure."),
        )


def _shown(found: Contract, measured: Mapping[str, Evaluation]) -> str:
    """Return in words what the pages show of the two heads, and when they say "unsure"."""
    answer = in_words(found.blend, found.prior_power, found.head is not None)
    learned = _(
        "FER2013 gives a face one label; for FER+ ten people voted on each. One network learned "
        "both, with a head for each. What the pages show is {answer}, chosen on "
        "faces kept apart so that rarer expressions do not hide behind neutral."
    ).format(answer=answer)
    lines = [
        learned,
        _("Below a confidence of {share} a face is **{unsure}**.").format(
            share=percent(found.unsure_below), unsure=_(UNSURE)
        ),
    ]
    for split in _SPLITS:
        shown = measured[split].shown if split in measured else None
        if shown is not None:
            lines.append(
                _(
                    "On {split}, {coverage} of the faces get a label, and {agreement} of those"
                    " labels are what most people said. It calls {said} of the faces neutral;"
                    " people call {true} so."
                ).format(
                    split=split,
                    coverage=percent(shown.coverage),
                    agreement=percent(shown.agreement),
                    said=percent(shown.said_neutral),
                    true=percent(shown.true_neutral),
                )
            )
            break
    return "  \n".join(lines)


def _activations(compared: Comparison) -> None:
    from emorec.drawing import measures

    st.header(_("ELU beside ReLU"))
    epochs = max(run.epochs for run in compared.runs)
    st.caption(
        _(
            "One recipe of {epochs} epochs with either activation and several random seeds,"
            " measured on {split}: made to be compared with each other, not with the models above."
            " A dot is a run, a line a network's mean; below, mean and standard deviation."
        ).format(epochs=epochs, split=compared.split)
    )
    reached = compared.measures
    for column, (name, title) in zip(st.columns(len(reached)), reached.items(), strict=True):
        title = _(title)
        column.markdown(f"**{title[0].upper()}{title[1:]}**")
        chart = measures.seeds(compared.runs, name)
        column.altair_chart(
            measures.on_page(chart),
            key=f"seeds {name}",
            alt=_("{measure} of each run").format(measure=title),
        )
        column.caption(
            ", ".join(
                f"{ACTIVATIONS[network]} {percent(of[name].mean, 1)} ± {percent(of[name].sd, 1)}"
                for network, of in compared.networks.items()
            )
        )

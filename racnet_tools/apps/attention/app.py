"""`AttentionExplorer`: the attention explorer as a widget."""

from __future__ import annotations

from typing import Any

import ipywidgets as w

from racnet_tools.apps.attention import words
from racnet_tools.apps.attention.model import FORCED, AttentionModel
from racnet_tools.apps.frame import Frame, Lazy, Notice, Quiet, ShowPython
from racnet_tools.apps.kernel import soon
from racnet_tools.apps.widgets import Address, Click, Keyboard, PlotView
from racnet_tools.errors import RacnetError
from racnet_tools.plots.interactive_attention import (
    channel_at,
    class_attention_panels,
    excitation_panel,
    ranking_points,
    variant_points,
)

__all__ = ["AttentionExplorer"]

_READING = (
    "<small>Attention is a weight from 0 to 1 that the network gives each channel for each spectrum (squeeze and "
    "excitation). A weight that differs between classes says how the network treats a channel, not that the class is "
    "decided there: force the channel to see what it is worth, and read the trust checks. All spectra here are "
    "simulated.</small>"
)


class AttentionExplorer(Frame):
    """Class-mean attention, channels ranked by how they separate classes, what excites them, and what they are worth.

    Examples
    --------
    >>> AttentionExplorer()  # doctest: +SKIP
    """

    def __init__(self) -> None:
        self.model = AttentionModel()
        self.notice, self.python = Notice(), ShowPython()
        self.address = Address()
        self._quiet = Quiet()
        guard = self.notice.guard

        self._network = w.Dropdown(description="Network", options=list(self.model.presets))
        self._block = w.Dropdown(description="Block", options=list(range(1, len(self.model.sizes) + 1)))
        self._number = w.BoundedIntText(description="Channel", min=0, max=max(self.model.sizes) - 1)
        self._how = w.Dropdown(description="Force to", options=list(FORCED))
        self._one = w.Button(description="Force this channel", layout=w.Layout(width="auto"))
        self._whole = w.Button(description="Force the whole block", layout=w.Layout(width="auto"))
        self._restore = w.Button(description="Restore all", layout=w.Layout(width="auto"))
        self._told, self._worth = w.HTML(), w.HTML()
        for box in (self._told, self._worth):
            box.add_class("rn-card")
        self._means, self._ranked, self._excited = PlotView(height=540), PlotView(height=520), PlotView(height=290)

        self._network.observe(guard(lambda change: self._network_chosen(change["new"])), "value")
        self._block.observe(guard(lambda change: self._block_chosen(change["new"])), "value")
        self._number.observe(guard(lambda change: self._channel_chosen(self.model.block, change["new"])), "value")
        self._one.on_click(guard(lambda _: self._force(whole_block=False)))
        self._whole.on_click(guard(lambda _: self._force(whole_block=True)))
        self._restore.on_click(guard(lambda _: self._restored()))
        self._means.on_click(guard(self._cell_clicked))
        self._ranked.on_click(guard(self._rank_clicked))

        keyboard = Keyboard(
            {
                "ArrowRight": ("next channel", guard(lambda: self._next(1))),
                "ArrowLeft": ("previous channel", guard(lambda: self._next(-1))),
                "ArrowDown": ("next in the ranking", guard(lambda: self._next_ranked(1))),
                "ArrowUp": ("previous in the ranking", guard(lambda: self._next_ranked(-1))),
                "f": ("force this channel", guard(lambda: self._force(whole_block=False))),
                "b": ("force the whole block", guard(lambda: self._force(whole_block=True))),
                "r": ("restore all", guard(self._restored)),
            }
        )
        cards = [
            w.VBox([self._network, self._block, self._number]),
            w.VBox([self._how, self._one, self._whole, self._restore]),
        ]
        for card in cards:
            card.add_class("rn-card")
        self._seen = False  # the map stands at once; what takes a second comes when the page is up
        self._refresh_all()
        super().__init__(
            "Attention explorer",
            controls=[*cards, w.HTML(_READING)],
            main=[
                self._means,
                self._told,
                self._worth,
                self._excited,
                self._ranked,
                Lazy("Networks side by side: is it the same attention?", self._variants, self.notice),
                Lazy("Can it be trusted? Checks kept with this network", self._trust, self.notice),
            ],
            notice=self.notice,
            python=self.python,
            address=self.address,
            keyboard=keyboard,
        )
        self.address.on_arrive(guard(self.apply_address))
        self.address.put(self.address_state())
        soon(guard(self._see_the_rest))

    def address_state(self) -> dict[str, str]:
        """What a link needs to show the same view."""
        forced = ",".join(f"{block}.{channel}.{value:.3g}" for (block, channel), value in self.model.forced.items())
        state = {"network": self.model.preset.name, "block": str(self.model.block), "channel": str(self.model.channel)}
        return state | ({"forced": forced} if forced and len(forced) < 1500 else {})

    def apply_address(self, state: dict[str, str]) -> None:
        """Show the view of a link; what is wrong in it is told, the rest is applied."""
        wrong = []
        try:
            if "network" in state:
                self.model.choose(state["network"])
        except RacnetError as error:
            wrong.append(f"network: {error}")
        try:
            if "block" in state or "channel" in state:
                block = _whole_number(state["block"]) if "block" in state else self.model.block
                self.model.look_at(block, _whole_number(state.get("channel", "0")))
            for entry in filter(None, state.get("forced", "").split(",")):
                self._force_entry(entry)
        except RacnetError as error:
            wrong.append(str(error))
        self._refresh_all()
        if wrong:
            self.notice.error("The link was followed in part.\n" + "\n".join(wrong))

    # What the visitor does

    def _network_chosen(self, name: Any) -> None:
        if not self._quiet:
            self.model.choose(name)
            self._refresh_all()

    def _block_chosen(self, block: Any) -> None:
        if not self._quiet:
            self._channel_chosen(block, 0)

    def _channel_chosen(self, block: Any, channel: Any) -> None:
        if not self._quiet:
            self.model.look_at(block, channel)
            self._refresh_channel()

    def _cell_clicked(self, click: Click) -> None:
        if len(click.point) == 2:
            self._channel_chosen(*channel_at(self.model.sizes, *click.point))

    def _rank_clicked(self, click: Click) -> None:
        row = self.model.ranking()[click.point[0]]
        self._channel_chosen(int(row["block"]), int(row["channel"]))

    def _next(self, by: int) -> None:
        size = self.model.sizes[self.model.block - 1]
        self._channel_chosen(self.model.block, (self.model.channel + by) % size)

    def _next_ranked(self, by: int) -> None:
        ranking = self.model.ranking()
        place = int(self.model.row()["rank"]) - 1 + by
        row = ranking[min(max(place, 0), len(ranking) - 1)]
        self._channel_chosen(int(row["block"]), int(row["channel"]))

    def _force(self, *, whole_block: bool) -> None:
        self.model.force(self._how.value, whole_block=whole_block)
        with self.notice.busy("Classifying the spectra again with the channels forced."):
            self._refresh_worth()

    def _restored(self) -> None:
        self.model.restore()
        self._refresh_worth()

    def _force_entry(self, entry: str) -> None:
        block, _, rest = entry.partition(".")
        channel, _, value = rest.partition(".")
        here = (self.model.block, self.model.channel)
        try:
            weight = float(value)
        except ValueError:
            weight = -1.0
        if not 0 <= weight <= 1:
            raise RacnetError(
                f"Expected forced channels as block.channel.weight, weight 0 to 1. Received: {entry[:40]!r}."
            )
        self.model.look_at(_whole_number(block), _whole_number(channel))
        self.model.forced[self.model.block, self.model.channel] = weight
        self.model.look_at(*here)

    # What the page shows

    def _refresh_all(self) -> None:
        with self._quiet:
            self._network.value = self.model.preset.name
            self._block.options = list(range(1, len(self.model.sizes) + 1))
        self._refresh_channel()

    def _refresh_channel(self) -> None:
        with self._quiet:
            self._number.max = self.model.sizes[self.model.block - 1] - 1
            self._block.value, self._number.value = self.model.block, self.model.channel
        here = (self.model.block, self.model.channel)
        self._means.show(class_attention_panels(self.model.means(), chosen=here), words.said_means(self.model))
        if not self._seen:
            self._told.value = self._worth.value = "Ranking the channels…"
            return
        self._ranked.show(ranking_points(self.model.ranking(), chosen=here), words.said_ranking(self.model))
        try:
            found = self.model.excitation()
            self._excited.show(excitation_panel(found), words.said_excitation(self.model, found))
        except RacnetError as error:  # a block that sees all of the spectrum has no stretches
            self._excited.show({"data": [], "layout": _says(str(error))}, f"Nothing to show: {error}")
        self._refresh_worth()

    def _see_the_rest(self) -> None:
        self._seen = True
        self._refresh_channel()

    def _refresh_worth(self) -> None:
        self._told.value = words.channel(self.model)
        self._worth.value = words.changed(self.model)
        self.python.say("Attention, ranking, what excites a channel, and what it is worth", words.python_of(self.model))
        self.address.put(self.address_state())

    def _variants(self) -> w.Widget:
        with self.notice.busy("Comparing the attention of the networks, some seconds."):
            compared = self.model.variants()
        view = PlotView(height=340)
        view.show(variant_points(compared), words.said_variants(compared))
        told = (
            "Channels of two trainings have no common order: each is matched with the one that behaves most alike on "
            "half of the spectra, and compared on the other half. What lies above the dotted line is common beyond the "
            "classes. Networks must have as many blocks as one another to be compared: here the paper's, with eight."
        )
        self.python.say(
            "Compare the attention of networks", "from racnet_tools.explain import compare_attention  # see its help"
        )
        return w.VBox([view, w.HTML(f"<small>{told}</small>")])

    def _trust(self) -> w.Widget:
        shown = w.HTML()

        def fill(_: Any = None) -> None:
            found = self.model.trust()
            name = self.model.preset.name
            shown.value = (
                f"<p>No checks are kept with {name}: run data/presets/build_trust.py.</p>"
                if found is None
                else f"<p><b>{name}</b></p>{words.trust_table(*found)}"
            )

        self._network.observe(self.notice.guard(fill), "value")
        fill()
        self.python.say("Trust checks", "from racnet_tools.explain import checks_table, kept_trust\n"
                        f"checks_table(kept_trust(load_preset({self.model.preset.name!r})).checks)")  # fmt: skip
        return shown


def _whole_number(text: str) -> int | str:
    """The number that a text is; another text as it came, for the error that names it."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else text


def _says(text: str) -> dict[str, Any]:
    note = {
        "text": text,
        "xref": "paper",
        "yref": "paper",
        "x": 0.5,
        "y": 0.5,
        "showarrow": False,
        "font": {"size": 13},
    }
    return {"height": 120, "xaxis": {"visible": False}, "yaxis": {"visible": False}, "annotations": [note]}

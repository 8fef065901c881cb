"""A plotly figure in the browser that is cheap to open, to change and to drag lines over.

`plotly.graph_objects.FigureWidget` sends the 5 MB of plotly.js through the kernel's websocket at every visit. Here the
dashboards' server hands plotly.js out as a file that the browser keeps; only elsewhere (JupyterLab, a plain Voila) does
the kernel send it, compressed, once for a page. Arrays travel as binary. The lines of a line list and the axis of rest
wavelengths are drawn over the figure by the browser, so that dragging them waits for nobody.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import traitlets as t

from racnet_tools.apps.plotly_script import plotly_compressed
from racnet_tools.apps.widgets.base import BrowserWidget, finite, script
from racnet_tools.plots.style import ON_DARK

__all__ = ["Click", "PlotView"]

#: Redshifts to which lines can be dragged.
Z_RANGE = (-0.02, 9.0)


@dataclass(frozen=True)
class Click:
    """A mark of a figure that was clicked.

    Attributes
    ----------
    trace : int
        Number of the trace in the figure's data.
    point : tuple of int
        Index of the mark within the trace; (row, column) in a heat map.
    x, y : float, str or None
        Its data coordinates.
    """

    trace: int
    point: tuple[int, ...]
    x: float | str | None
    y: float | str | None


class PlotView(BrowserWidget):
    """A place for a figure, filled again and again during a page's life.

    Parameters
    ----------
    description : str
        Text alternative: what the figure shows, with its numbers.
    height : int
        Pixels.
    """

    _esm = script("plot_figure.js") + script("plot_view.js")
    _css = script("plot_view.css")

    description = t.Unicode().tag(sync=True)
    height = t.Int(420).tag(sync=True)
    figure: Any = t.Any(None, allow_none=True).tag(sync=True, to_json=lambda figure, _: _to_wire(figure))
    marks: Any = t.Any(None, allow_none=True).tag(sync=True, to_json=lambda marks, _: _to_wire(marks))
    on_dark = t.Dict(ON_DARK).tag(sync=True)

    def __init__(self, description: str = "", height: int = 420) -> None:
        self._click: list[Callable[[Click], None]] = []
        self._place: list[Callable[[float], None]] = []
        self._range: list[Callable[[tuple[float, float] | None], None]] = []
        self._redshift: list[Callable[[float, bool], None]] = []
        super().__init__(description=description, height=height)

    def show(self, figure: Any, description: str) -> None:
        """Replace the figure.

        Parameters
        ----------
        figure : plotly.graph_objects.Figure or dict
            A dict has "data" and "layout", with numpy arrays where it likes. While ``layout["uirevision"]`` stays the
            same, the visitor's zoom is kept.
        description : str
            The new text alternative.
        """
        plain = figure if isinstance(figure, Mapping) else figure.to_dict()
        with self.hold_sync():
            self.description = description
            self.set_trait("figure", {"data": list(plain["data"]), "layout": dict(plain["layout"])})

    def restyle(self, changes: Mapping[str, Sequence[Any]], traces: Sequence[int]) -> None:
        """Change attributes of traces: ``changes[attribute][i]`` is the new value for ``traces[i]``.

        Attributes are dotted paths as in plotly ("y", "marker.color").
        """
        data = self._shown()["data"]
        for attribute, values in changes.items():
            for trace, value in zip(traces, values, strict=True):
                _put(data[trace], attribute, value)
        self._tell({"type": "restyle", "changes": _to_wire(dict(changes)), "traces": list(traces)})

    def relayout(self, changes: Mapping[str, Any]) -> None:
        """Change attributes of the layout, named by dotted paths as in plotly ("xaxis.range")."""
        layout = self._shown()["layout"]
        for attribute, value in changes.items():
            _put(layout, attribute, value)
        self._tell({"type": "relayout", "changes": _to_wire(dict(changes))})

    def redshift(
        self,
        rest: Sequence[float] | np.ndarray,
        names: Sequence[str],
        z: float,
        *,
        draggable: bool = True,
    ) -> None:
        """Mark lines of rest wavelengths `rest`, named `names`, at redshift `z`, over all panels.

        An axis of rest wavelengths stands above them. No lines: neither. A draggable set answers by `on_redshift`.
        """
        if len(rest) != len(names):
            raise ValueError(f"expected a name for each of {len(rest)} lines; received {len(names)} names")
        marks = {"rest": [float(wave) for wave in rest], "names": [str(name) for name in names]}
        self.set_trait("marks", {**marks, "z": float(z), "draggable": draggable, "limits": list(Z_RANGE)})

    @property
    def z(self) -> float:
        """Redshift of the marked lines."""
        return float(self.marks["z"]) if self.marks else 0.0

    @z.setter
    def z(self, z: float) -> None:
        if self.marks:
            self.set_trait("marks", self.marks | {"z": float(z)})

    def first_paint(self) -> dict[str, Any] | None:
        """The figure as JSON, for a page that draws it before any widget is alive; None where there is none yet."""
        if self.figure is None:
            return None
        room = 112 if self.marks and self.marks["rest"] else 0
        return {
            "figure": _in_base64(_to_wire(self.figure)),
            "description": self.description,
            "height": self.height,
            "room": room,
            "on_dark": self.on_dark,
        }

    def on_click(self, call: Callable[[Click], None]) -> None:
        """Call ``call(click)`` when a mark is clicked."""
        self._click.append(call)

    def on_place(self, call: Callable[[float], None]) -> None:
        """Call ``call(x)`` when the plot area is clicked anywhere; x is the coordinate along the axis."""
        self._place.append(call)

    def on_range(self, call: Callable[[tuple[float, float] | None], None]) -> None:
        """Call ``call((low, high))`` after a zoom along x, ``call(None)`` when all is shown again."""
        self._range.append(call)

    def on_redshift(self, call: Callable[[float, bool], None]) -> None:
        """Call ``call(z, done)`` while lines are dragged, with `done` true at their release."""
        self._redshift.append(call)

    def _shown(self) -> dict[str, Any]:
        if self.figure is None:
            raise ValueError("nothing is shown yet: call show() first")
        return self.figure

    def _tell(self, message: dict[str, Any]) -> None:
        if self.comm is not None:
            buffers: list[Any] = []
            self.send(_lifted(message, buffers), buffers)

    # What the browser sends

    def _receive_click(self, content: Mapping[str, Any], _: Any) -> None:
        trace, point = content["trace"], content["point"]
        if isinstance(trace, bool) or not isinstance(trace, int) or not 0 <= trace < len(self._shown()["data"]):
            raise ValueError("no such trace")
        point = tuple(point if isinstance(point, list) else [point])
        if not 1 <= len(point) <= 2 or not all(type(number) is int and 0 <= number < 10**9 for number in point):
            raise ValueError("no such point")
        _within(self._shown()["data"][trace], point)
        click = Click(trace, point, _coordinate(content.get("x")), _coordinate(content.get("y")))
        for call in self._click:
            call(click)

    def _receive_place(self, content: Mapping[str, Any], _: Any) -> None:
        x = finite(content["x"])
        for call in self._place:
            call(x)

    def _receive_range(self, content: Mapping[str, Any], _: Any) -> None:
        limits = content["limits"]
        both = None if limits is None else (finite(limits[0]), finite(limits[1]))
        if both is not None:
            both = (min(both), max(both))
        for call in self._range:
            call(both)

    def _receive_redshift(self, content: Mapping[str, Any], _: Any) -> None:
        z, done = finite(content["z"]), content["done"] is True
        if not self.marks or not self.marks["draggable"] or not Z_RANGE[0] <= z <= Z_RANGE[1]:
            raise ValueError("not a redshift to which these lines can be dragged")
        self.marks["z"] = z  # the browser has drawn it already
        for call in self._redshift:
            call(z, done)

    def _receive_library(self, _: Mapping[str, Any], __: Any) -> None:
        self.send({"type": "library"}, [plotly_compressed()])


def _within(trace: Mapping[str, Any], point: tuple[int, ...]) -> None:
    """Raise ValueError for a point that the trace does not have, as far as its arrays tell."""
    if len(point) == 2:
        rows = trace.get("z")
        if isinstance(rows, np.ndarray) and not (point[0] < rows.shape[0] and point[1] < rows.shape[1]):
            raise ValueError("no such cell")
    elif isinstance(trace.get("x"), np.ndarray | list | tuple) and point[0] >= len(trace["x"]):
        raise ValueError("no such point")


def _coordinate(value: Any) -> float | str | None:
    if value is None or (isinstance(value, str) and len(value) < 1000):
        return value
    return finite(value)


def _put(target: Any, path: str, value: Any) -> None:
    """Set the attribute of a figure that a dotted path names, making what is missing on the way."""
    *way, last = path.split(".")
    for name in way:
        target = target.setdefault(name, {})
    target[last] = value


def _to_wire(value: Any) -> Any:
    """The same with arrays as ``{"dtype", "shape", "buffer"}``, unpacked by the script; numpy's scalars as Python's."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "OUSMm":
            return [_to_wire(item) for item in value.tolist()]
        kind = value.dtype.kind
        if kind == "b" or value.dtype in (np.int64, np.uint64):  # typed arrays of JavaScript that plotly knows
            value = value.astype(np.uint8 if kind == "b" else np.float64)
        whole = np.ascontiguousarray(value)
        return {
            "dtype": whole.dtype.str[1:],
            "shape": list(whole.shape),
            "buffer": whole.reshape(-1).view(np.uint8).data,
        }
    if isinstance(value, Mapping):
        return {str(key): _to_wire(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_to_wire(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def _in_base64(value: Any) -> Any:
    """What `_to_wire` gives, with its buffers as text."""
    if isinstance(value, memoryview):
        return b64encode(value).decode()
    if isinstance(value, dict):
        return {key: _in_base64(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_in_base64(item) for item in value]
    return value


def _lifted(value: Any, buffers: list[Any]) -> Any:
    """A message whose buffers stand outside, in `buffers`, each replaced by its number there."""
    if isinstance(value, memoryview):
        buffers.append(value)
        return len(buffers) - 1
    if isinstance(value, dict):
        return {key: _lifted(item, buffers) for key, item in value.items()}
    if isinstance(value, list):
        return [_lifted(item, buffers) for item in value]
    return value

"""What the training lab says of a training: a line of the list, the status, the text beside the curves."""

from __future__ import annotations

from html import escape

from racnet_tools.apps.lab.jobs import Job
from racnet_tools.apps.lab.plan import NETWORKS

__all__ = ["line", "nothing_yet", "said_curves", "status"]

_SIGNS = {
    "finished": "✓",
    "stopped": "✓",
    "running": "▶",
    "waiting": "…",
    "paused": "‖",
    "interrupted": "!",
    "failed": "✗",
}


def nothing_yet(text: str) -> str:
    """An empty place that says what to do."""
    return f'<div class="rn-empty">{escape(text)}</div>'


def line(job: Job) -> str:
    """One line of the list of runs."""
    done, best = len(job.history), _best(job)
    told = f" {100 * best[1]:.1f} %" if best else ""
    return f"{_SIGNS[job.state]} {job.name} {job.state} {done}/{job.plan.epochs}{told}"


def status(job: Job | None, ahead: int) -> str:
    """What the run does and has reached, as HTML."""
    if job is None:
        return nothing_yet(
            "No training yet. Choose data, network and size, and press Train: the choices given train RAC-Net on 600 "
            "simulated spectra an epoch, in a few minutes on two cores. Below: what a network gets to see."
        )
    plan, done = job.plan, len(job.history)
    data = f"{plan.size:,} simulated spectra an epoch ({plan.data})" if plan.simulated else f"data set {plan.data}"
    parts = [f"<b>{escape(job.name)}</b>: {escape(plan.title)} on {escape(data)}."]
    if job.state == "waiting":
        parts.append(f"Waits for its turn, behind {ahead} other{'s' * (ahead != 1)}.")
    elif job.state == "running":
        parts.append(f"It {escape(job.phase)}; {done} of {plan.epochs} epochs done{_left(job)}.")
        if job.wish:
            parts.append(f"<b>It will {escape(job.wish)} after this epoch.</b>")
    elif job.state == "failed":
        parts.append(f"<b>Failed</b> after {done} epochs: {escape(job.reason)} Resume tries again from the last epoch.")
    elif job.state == "interrupted":
        parts.append(f"Its process was ended from outside after {done} epochs. Resume goes on with the same result.")
    elif job.state == "paused":
        parts.append(f"Paused after {done} of {plan.epochs} epochs. Resume goes on, Stop keeps the best so far.")
    else:
        parts.append(f"{job.state.capitalize()} after {done} of {plan.epochs} epochs.")
    best = _best(job)
    if best:
        parts.append(f"Best so far: epoch {best[0]}, {100 * best[1]:.1f} % of the validation spectra right.")
    return " ".join(parts)


def said_curves(job: Job) -> str:
    """Text alternative of the learning curves."""
    first, last, best = job.history[0], job.history[-1], _best(job)
    text = (
        f"Learning curves of {job.name} ({NETWORKS[job.plan.network]}) over {len(job.history)} of {job.plan.epochs} "
        f"epochs: training loss from {first['loss']:.3f} to {last['loss']:.3f}, training accuracy from "
        f"{100 * first['accuracy']:.1f} % to {100 * last['accuracy']:.1f} %."
    )
    return text + (f" Lowest validation loss in epoch {best[0]}, accuracy {100 * best[1]:.1f} %." if best else "")


def _best(job: Job) -> tuple[int, float] | None:
    """The epoch of the lowest validation loss, and its accuracy."""
    rows = [row for row in job.history if "val_loss" in row]
    if not rows:
        return None
    row = min(rows, key=lambda one: one["val_loss"])
    return int(row["epoch"]), row["val_accuracy"]


def _left(job: Job) -> str:
    if not job.history:
        return ""
    seconds = job.history[-1].get("seconds", 0.0) * (job.plan.epochs - len(job.history))
    return f", about {seconds / 60:.0f} min to go" if seconds > 90 else f", about {seconds:.0f} s to go"

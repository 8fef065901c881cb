"""Checks of lesson 3, Why residuals."""

from __future__ import annotations

from typing import Any

import numpy as np

from checks.verdict import Wrong, close, exercise, is_array, refuse, run


@exercise("3.1")
def exercise_3_1(convolve: Any) -> str:
    rng = np.random.default_rng(1)
    for n, k in ((20, 3), (15, 4)):
        x, kernel = rng.normal(0, 1, n), rng.normal(0, 1, k)
        found = np.asarray(run(convolve, x, kernel), float)
        right, turned = np.correlate(x, kernel, "valid"), np.convolve(x, kernel, "valid")
        if found.shape != right.shape:
            if found.shape == (n,):
                raise Wrong(f"Yours is as long as the spectrum. Inside it the kernel fits at {n - k + 1} places only.")
            if found.shape == (n - k,):
                raise Wrong("The last place is missing: the range ends one too early. n - k + 1 places.")
            if found.shape == ():
                raise Wrong("That is one number. Give one for each place: collect them in a list.")
            raise Wrong(f"For n = {n} and k = {k} expected {n - k + 1} numbers. Yours are {found.size}.")
        if np.allclose(found, right):
            continue
        refuse(
            found,
            {
                "The kernel is turned round, as np.convolve does it. Here kernel[0] meets x[i].": turned,
                "You divided by the kernel's length or sum: that is a mean. Only add up.": right / k,
                "You divided by the kernel's sum. Only add up.": right / kernel.sum(),
            },
        )
        raise Wrong(f"The first number should be the sum of kernel * x[:{k}], {right[0]:.3f}. Yours is {found[0]:.3f}.")
    return "It agrees for kernels of 3 and of 4."


def _fields(convolution: int, pooling: int, doubling: int) -> np.ndarray:
    """Fields of eight blocks, if a convolution adds so many steps, a pooling so many, and then changes the step."""
    field, step, found = 1, 1, []
    for _ in range(8):
        field += 3 * convolution * step
        found.append(field)
        field += pooling * step
        step *= doubling
    return np.array(found)


@exercise("3.2")
def exercise_3_2(field_of_block: Any) -> str:
    found = is_array([run(field_of_block, b) for b in range(1, 9)], (8,), "the fields of eight blocks")
    right = _fields(2, 1, 2)
    if np.array_equal(found, right):
        return f"From {right[0]} pixels in block 1 to {right[-1]} in block 8, nearly half of the spectrum."
    after, ahead = right + 2 ** np.arange(8), [*right[1:], 2 * right[-1] + 6]
    refuse(
        found,
        {
            "The pooling is forgotten: it looks at two neighbours, so it adds one step itself.": _fields(2, 0, 2),
            "The step stays 1 in yours. After a pooling, neighbours are twice as far apart.": _fields(2, 1, 1),
            "You have the convolutions only, without any pooling.": _fields(2, 0, 1),
            "A kernel of 3 adds 2 steps to the field, not 3: its middle was there already.": _fields(3, 1, 2),
            "You count the pooling at the end of the block. The question is for the field before it.": after,
            "You are one block ahead: block 1 has three convolutions and no pooling before it.": ahead,
            "A kernel of 3 reaches one to each side: it adds 2 steps.": _fields(1, 1, 2),
            "You started from a field of 0. One pixel sees itself.": right - 1,
        },
        1e-9,
    )
    raise Wrong(
        f"For block 1 it gives {found[0]:g} (three convolutions of 3), for block 2 {found[1]:g}. Check these first."
    )


@exercise("3.3")
def exercise_3_3(residual_block: Any) -> str:
    rng = np.random.default_rng(3)
    x = rng.normal(0, 1, (5, 8))
    w1, w2, w3 = rng.normal(0, 0.5, (3, 8, 8))

    def relu(values: np.ndarray) -> np.ndarray:
        return np.maximum(values, 0)

    found = is_array(run(residual_block, x, w1, w2, w3), x.shape, "the output of the block")
    inner = relu(relu(x @ w1) @ w2) @ w3
    if np.allclose(found, relu(x + inner)):
        return "The input passes through, and the layers add to it."
    refuse(
        found,
        {
            "The shortcut is missing: add the input before the last ReLU.": relu(inner),
            "The shortcut is missing, and the last ReLU.": inner,
            "The last ReLU is missing: it comes after the sum.": x + inner,
            "The third product went through a ReLU before the sum: then a block could only add, never subtract.": relu(
                x + relu(inner)
            ),
            "The ReLU came before the sum. Add the input first.": x + relu(inner),
            "The inner ReLUs are missing: without a bend three products are one.": relu(x + x @ w1 @ w2 @ w3),
            "The input went through a ReLU before it was added.": relu(relu(x) + inner),
            "The input is multiplied. It should be added.": relu(x * inner),
        },
        1e-9,
    )
    raise Wrong("Another result. F(x) first: two products each with a ReLU, a third without. Then add x, then ReLU.")


@exercise("3.4")
def exercise_3_4(layers: Any, plain: np.ndarray, residual: np.ndarray) -> str:
    right = int(np.argmax(plain < 0.01))
    if close(layers, right, 0):
        least = residual[::3].min()
        return f"After {right} layers. With shortcuts it never falls below {least:.2f} of what it was."
    refuse(
        layers,
        {
            "That is one too many: index 0 is no layer gone back, so the index itself is the number of layers.": right
            + 1,
            "That is the last one that is still above 1 %.": right - 1,
            "That is where it falls below 10 %.": int(np.argmax(plain < 0.1)),
            "That is where it falls below 0.1 %.": int(np.argmax(plain < 0.001)),
            "That counts how many sizes are above 1 %, or below it. After how many layers is the first one below?": int(
                (plain < 0.01).sum()
            ),
            "That is from the residual stack, or nothing was found: np.argmax gives 0 when nothing is True.": 0,
        },
        1e-9,
    )
    raise Wrong("Another number. Print plain_gradient[:15] and look for the first below 0.01.")


@exercise("3.5")
def exercise_3_5(parameters: Any) -> str:
    def layer(k: int, into: int, out: int, bias: bool = True) -> int:
        return k * into * out + out * bias

    first, further, shortcut = layer(3, 16, 32), layer(3, 32, 32), layer(1, 16, 32)
    right = first + 2 * further + shortcut
    if close(parameters, right, 0):
        return f"{first} + 2 x {further} + {shortcut} = {right}, for 3,909 pixels as for any other number."
    refuse(
        parameters,
        {
            "The biases are missing: one for each output channel of each of the four convolutions.": right - 4 * 32,
            "The shortcut's convolution is missing.": right - shortcut,
            "32 biases are missing: has the shortcut its own, and has each convolution one an output?": right - 32,
            "The shortcut has a kernel of 1, yours has 3.": first + 2 * further + first,
            "The first convolution takes 16 channels, yours takes 32.": 3 * further + shortcut,
            "All three convolutions take 16 channels in yours. The second and third take 32.": 3 * first + shortcut,
            "One convolution of 32 to 32 is missing: there are two.": right - further,
            "The shortcut and the biases are missing.": right - shortcut - 3 * 32,
            "You multiplied by the number of pixels. The same weights serve at every pixel.": right * 3909,
        },
        1e-9,
    )
    raise Wrong(
        "Write the four terms k x in x out + out one below the other: (3, 16, 32), (3, 32, 32) twice, (1, 16, 32)."
    )

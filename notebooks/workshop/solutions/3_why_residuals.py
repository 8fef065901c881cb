"""Solutions of lesson 3, Why residuals."""


# %% 3.1 convolution
def convolve(x, kernel):
    """Sums of kernel times pixels at each place where the kernel fits: (n - k + 1,)."""
    k = len(kernel)
    return np.array([np.sum(kernel * x[i : i + k]) for i in range(len(x) - k + 1)])


# %% 3.2 receptive field
def field_of_block(b):
    """Pixels of the spectrum that reach one feature of block b of RC-Net."""
    field, step = 1, 1
    for block in range(b):
        if block > 0:
            field, step = field + step, 2 * step
        field += 3 * 2 * step
    return field


# %% 3.3 residual block
def residual_block(x, w1, w2, w3):
    """ReLU of the input plus what three layers make of it."""
    return relu(x + relu(relu(x @ w1) @ w2) @ w3)


# %% 3.4 how deep is too deep
layers_to_one_percent = np.argmax(plain_gradient < 0.01)

# %% 3.5 parameters of a block
parameters_of_block_3 = (3 * 16 * 32 + 32) + 2 * (3 * 32 * 32 + 32) + (1 * 16 * 32 + 32)

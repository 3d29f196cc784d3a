"""Equality with PyTorch implementations in float64, their frequencies injected.

They are no part of the ``test`` extra, since PyTorch alone is larger than everything
else together: ``pip install -e ".[torch]"`` brings them.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skextra.preprocessing import SinusoidalEncoder, apply_rotary, rotary_frequencies, t5_buckets

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

RNG = np.random.default_rng(0)
X, POSITIONS = RNG.standard_normal((2, 3, 200, 32)), np.arange(200)
FREQUENCIES = rotary_frequencies(32)[0]


def test_torch_in_plain_words():
    angles = torch.tensor(POSITIONS)[:, None] * torch.tensor(FREQUENCIES)
    turned = torch.view_as_complex(torch.tensor(X).reshape(2, 3, 200, 16, 2)) * torch.polar(
        torch.ones_like(angles), angles
    )
    expected = torch.view_as_real(turned).reshape(X.shape).numpy()
    assert_allclose(apply_rotary(X, POSITIONS), expected, rtol=0, atol=1e-12)
    encoded = SinusoidalEncoder(16).fit_transform(POSITIONS[:, None].astype(float))
    assert_allclose(encoded[:, ::2], torch.sin(angles).numpy(), rtol=0, atol=1e-12)
    assert_allclose(encoded[:, 1::2], torch.cos(angles).numpy(), rtol=0, atol=1e-12)


def test_rotary_embedding_torch():
    module = pytest.importorskip("rotary_embedding_torch", reason="not installed")
    embedding = module.RotaryEmbedding(
        dim=32, custom_freqs=torch.tensor(FREQUENCIES), cache_if_possible=False
    ).double()
    expected = embedding.rotate_queries_or_keys(torch.tensor(X)).detach().numpy()
    assert_allclose(apply_rotary(X, POSITIONS), expected, rtol=0, atol=1e-12)


def test_xpos_of_rotary_embedding_torch():
    module = pytest.importorskip("rotary_embedding_torch", reason="not installed")
    embedding = module.RotaryEmbedding(
        dim=32, custom_freqs=torch.tensor(FREQUENCIES), use_xpos=True, cache_if_possible=False
    ).double()
    embedding.scale = (torch.arange(0, 32, 2, dtype=torch.float64) + 0.4 * 32) / (1.4 * 32)
    pair = embedding.rotate_queries_and_keys(torch.tensor(X), torch.tensor(X))
    for side, expected in zip(("query", "key"), pair):
        # It centers at half of the length of the batch.
        ours = apply_rotary(X, POSITIONS, xpos=side, xpos_center=100.0)
        assert_allclose(ours, expected.detach().numpy(), rtol=0, atol=1e-12)


def test_positional_encodings():
    module = pytest.importorskip("positional_encodings.torch_encodings", reason="not installed")
    for width in (16, 32):
        encoding = module.PositionalEncoding1D(width).double()
        encoding.inv_freq = torch.tensor(rotary_frequencies(width)[0])
        expected = encoding(torch.zeros((1, 300, width), dtype=torch.float64)).numpy()[0]
        ours = SinusoidalEncoder(n_components=width).fit_transform(np.arange(300.0)[:, None])
        assert_allclose(ours, expected, rtol=0, atol=1e-12)


def test_llama_of_transformers():
    llama = pytest.importorskip("transformers.models.llama.modeling_llama", reason="not installed")
    angles = torch.tensor(POSITIONS)[:, None] * torch.tensor(FREQUENCIES)
    both = torch.cat([angles, angles], dim=-1)[None]
    x = torch.tensor(X)
    expected = llama.apply_rotary_pos_emb(x, x, both.cos(), both.sin())[0].numpy()
    assert_allclose(apply_rotary(X, POSITIONS, layout="half"), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "name, scaling, theirs, ours",
    [
        ("linear", "linear", {"factor": 4.0}, {"factor": 4.0}),
        (
            "yarn", "yarn-transformers",
            {"factor": 8.0, "original_max_position_embeddings": 2048},
            {"factor": 8.0, "original_length": 2048},
        ),
        (
            "llama3", "llama3",
            {"factor": 8.0, "original_max_position_embeddings": 2048,
             "low_freq_factor": 1.0, "high_freq_factor": 4.0},
            {"factor": 8.0, "original_length": 2048},
        ),
        (
            "dynamic", "dynamic", {"factor": 2.0},
            {"factor": 2.0, "original_length": 4096, "scaling_params": {"length": 16384}},
        ),
    ],
)  # fmt: skip
def test_frequencies_of_transformers(name, scaling, theirs, ours):
    transformers = pytest.importorskip("transformers", reason="not installed")
    functions = pytest.importorskip("transformers.modeling_rope_utils").ROPE_INIT_FUNCTIONS
    parameters = {"rope_type": name, "rope_theta": 10000.0, **theirs}
    config = transformers.LlamaConfig(
        hidden_size=256, num_attention_heads=2, max_position_embeddings=4096,
        rope_parameters=parameters,
    )  # fmt: skip
    expected, amplitude = functions[name](config, device="cpu", seq_len=16384)
    found, ours_amplitude = rotary_frequencies(128, scaling=scaling, **ours)
    # The library computes them in float32, to which they agree.
    assert_allclose(found, expected.double().numpy(), rtol=5e-7)
    assert ours_amplitude == pytest.approx(amplitude, rel=1e-12)


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("n_buckets, max_distance", [(32, 128), (64, 256), (16, 64), (32, 1000)])
def test_buckets_of_t5(bidirectional, n_buckets, max_distance):
    t5 = pytest.importorskip("transformers.models.t5.modeling_t5", reason="not installed")
    relative = torch.arange(-2000, 2001)
    expected = t5.T5Attention._relative_position_bucket(
        relative, bidirectional=bidirectional, num_buckets=n_buckets, max_distance=max_distance
    )
    found = t5_buckets(
        [0],
        relative.numpy(),
        bidirectional=bidirectional,
        n_buckets=n_buckets,
        max_distance=max_distance,
    )
    assert_array_equal(found[0], expected.numpy())

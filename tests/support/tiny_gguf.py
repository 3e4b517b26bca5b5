"""Writes a tiny language model with random weights, and a tiny picture encoder for it, as GGUF files.

The files are real enough for llama.cpp to run every path with (a few milliseconds per token), and say nothing
sensible. One token is one byte. Printable ASCII is favoured so that what comes out is text: every embedding
has the same large first component, which the output layer turns into a bias per token.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from gguf import GGUFWriter, TokenType
from numpy.typing import NDArray

WIDTH = 64
HEADS = 2
FEED_FORWARD = 64
LAYERS = 1
CONTEXT = 8192
SPECIAL = ("<unk>", "<s>", "</s>")
VOCABULARY = len(SPECIAL) + 256
PICTURE_SIDE = 32
PATCH = 8
PICTURE_TOKENS = (PICTURE_SIDE // PATCH) ** 2
VISION_WIDTH = 32
TEMPLATE = (
    "{% for message in messages %}[{{ message['role'] }}] {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant] {% endif %}"
)

Weights = NDArray[np.float32]


def write_language_model(path: Path, *, seed: int = 7, end_bias: float = -3.0) -> Path:
    """A llama-architecture model; `end_bias` says how readily it ends an answer (-30 and lower: never)."""
    random = np.random.default_rng(seed)
    writer = GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    _add_tokenizer(writer)
    embedding = _random(random, VOCABULARY, WIDTH, scale=1.0)
    embedding[:, 0] = 8.0
    writer.add_tensor("token_embd.weight", embedding)
    for layer in range(LAYERS):
        name = f"blk.{layer}"
        for part in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"{name}.{part}.weight", np.ones(WIDTH, np.float32))
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            writer.add_tensor(f"{name}.{part}.weight", _random(random, WIDTH, WIDTH, scale=0.3))
        for part, shape in (
            ("ffn_gate", (FEED_FORWARD, WIDTH)),
            ("ffn_up", (FEED_FORWARD, WIDTH)),
            ("ffn_down", (WIDTH, FEED_FORWARD)),
        ):
            writer.add_tensor(f"{name}.{part}.weight", _random(random, *shape, scale=0.1))
    writer.add_tensor("output_norm.weight", np.ones(WIDTH, np.float32))
    output = _random(random, VOCABULARY, WIDTH, scale=0.25)
    output[:, 0] = [_bias(token, end_bias) / 4 for token in range(VOCABULARY)]
    writer.add_tensor("output.weight", output)
    return _finish(writer, path)


def write_picture_encoder(path: Path, *, seed: int = 11) -> Path:
    """A LLaVA-style CLIP encoder (projector "mlp"): one picture becomes `PICTURE_TOKENS` tokens."""
    random = np.random.default_rng(seed)
    writer = GGUFWriter(path, "clip")
    writer.add_clip_has_vision_encoder(True)
    writer.add_clip_projector_type("mlp")
    writer.add_vision_image_size(PICTURE_SIDE)
    writer.add_vision_patch_size(PATCH)
    writer.add_vision_embedding_length(VISION_WIDTH)
    writer.add_vision_feed_forward_length(VISION_WIDTH)
    writer.add_vision_projection_dim(WIDTH)
    writer.add_vision_block_count(2)
    writer.add_vision_head_count(2)
    writer.add_vision_attention_layernorm_eps(1e-5)
    writer.add_vision_image_mean([0.5, 0.5, 0.5])
    writer.add_vision_image_std([0.5, 0.5, 0.5])
    writer.add_vision_use_gelu(True)
    patches = _random(random, VISION_WIDTH, 3 * PATCH * PATCH, scale=0.1)
    writer.add_tensor("v.patch_embd.weight", patches.reshape(VISION_WIDTH, 3, PATCH, PATCH))
    writer.add_tensor("v.position_embd.weight", _random(random, PICTURE_TOKENS, VISION_WIDTH, scale=0.1))
    for layer in range(2):
        name = f"v.blk.{layer}"
        for part in ("ln1", "ln2"):
            writer.add_tensor(f"{name}.{part}.weight", np.ones(VISION_WIDTH, np.float32))
            writer.add_tensor(f"{name}.{part}.bias", np.zeros(VISION_WIDTH, np.float32))
        for part in ("attn_q", "attn_k", "attn_v", "attn_out", "ffn_up", "ffn_down"):
            writer.add_tensor(f"{name}.{part}.weight", _random(random, VISION_WIDTH, VISION_WIDTH, scale=0.2))
            writer.add_tensor(f"{name}.{part}.bias", np.zeros(VISION_WIDTH, np.float32))
    writer.add_tensor("mm.0.weight", _random(random, WIDTH, VISION_WIDTH, scale=0.5))
    writer.add_tensor("mm.0.bias", np.zeros(WIDTH, np.float32))
    writer.add_tensor("mm.2.weight", _random(random, WIDTH, WIDTH, scale=0.5))
    bias = np.zeros(WIDTH, np.float32)
    bias[0] = 8.0
    writer.add_tensor("mm.2.bias", bias)
    return _finish(writer, path)


def _add_tokenizer(writer: GGUFWriter) -> None:
    tokens = [*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256))]
    kinds = [TokenType.UNKNOWN, TokenType.CONTROL, TokenType.CONTROL, *[TokenType.BYTE] * 256]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * VOCABULARY)
    writer.add_token_types(kinds)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(TEMPLATE)


def _bias(token: int, end_bias: float) -> float:
    if token == SPECIAL.index("</s>"):
        return end_bias
    printable = 32 <= token - len(SPECIAL) < 127
    return 0.0 if printable else -200.0


def _random(random: np.random.Generator, rows: int, columns: int, *, scale: float) -> Weights:
    return (random.standard_normal((rows, columns)) * scale).astype(np.float32)


def _finish(writer: GGUFWriter, path: Path) -> Path:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path

#!/usr/bin/env python3
"""Attention of the finest level by PyTorch, to be put beside `mosaic_bench gpu`: dense flash attention, and the local and the
selected branch as two FlexAttention calls with block masks (12 query heads, 3 key/value heads of 64, runs of 1024, blocks of
128, 24 random selected blocks; no compressed branch, no gates).

    attention_baselines.py RESULT [TOKENS,...]       writes RESULT.json and RESULT.md

Medians of five in float16 on the first visible GPU. Dense attention stops at 131,072 tokens: its time grows with the square.
"""

import json
import sys

import torch
from torch.nn.attention.flex_attention import BlockMask, flex_attention

HEADS, KV_HEADS, WIDTH, RUN, BLOCK, SELECTED = 12, 3, 64, 1024, 128, 24
LARGEST_DENSE = 131072
# Two compilations a length: beyond the limit (8) calls are not compiled and hold all scores.
torch._dynamo.config.recompile_limit = 64
torch._dynamo.config.fail_on_recompile_limit_hit = True
compiled = torch.compile(flex_attention, dynamic=False)


def median_seconds(work, repeats: int = 5) -> float:
    work()
    torch.cuda.synchronize()
    seconds = []
    for _ in range(repeats):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        work()
        end.record()
        torch.cuda.synchronize()
        seconds.append(begin.elapsed_time(end) * 1e-3)
    return sorted(seconds)[len(seconds) // 2]


def whole_blocks(indices: torch.Tensor) -> BlockMask:
    """Every query block [1, heads, blocks, n] sees all of these key blocks and nothing of others."""
    heads, blocks, n = indices.shape[1:]
    padded = torch.zeros(1, heads, blocks, blocks, dtype=torch.int32, device="cuda")
    padded[..., :n] = indices
    none = torch.zeros(1, heads, blocks, dtype=torch.int32, device="cuda")
    return BlockMask.from_kv_blocks(none, torch.zeros_like(padded), none + n, padded, BLOCK_SIZE=BLOCK)


def masks(tokens: int) -> tuple[BlockMask, BlockMask]:
    blocks, of_run = tokens // BLOCK, RUN // BLOCK
    run = torch.arange(blocks, device="cuda")[:, None] // of_run * of_run + torch.arange(of_run, device="cuda")
    local = whole_blocks(run[None, None].to(torch.int32))
    scores = torch.rand(1, KV_HEADS, blocks, blocks, device="cuda")
    chosen = scores.topk(min(SELECTED, blocks), dim=-1).indices.sort(dim=-1).values
    return local, whole_blocks(chosen.repeat_interleave(HEADS // KV_HEADS, dim=1).to(torch.int32))


def measure(tokens: int) -> dict:
    def numbers(heads):
        return torch.randn(1, heads, tokens, WIDTH, device="cuda", dtype=torch.float16)

    q, k, v = numbers(HEADS), numbers(KV_HEADS), numbers(KV_HEADS)
    local, selected = masks(tokens)
    row = {"tokens": tokens,
           "flex_local_s": median_seconds(lambda: compiled(q, k, v, block_mask=local, enable_gqa=True)),
           "flex_selected_s": median_seconds(lambda: compiled(q, k, v, block_mask=selected, enable_gqa=True)),
           "dense_s": None}
    if tokens <= LARGEST_DENSE:
        with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.FLASH_ATTENTION):
            row["dense_s"] = median_seconds(
                lambda: torch.nn.functional.scaled_dot_product_attention(q, k, v, enable_gqa=True))
    return row


def main() -> None:
    lengths = [int(n) for n in sys.argv[2].split(",")] if len(sys.argv) > 2 else [2**e for e in range(13, 20)]
    result = {"device": torch.cuda.get_device_name(), "torch": torch.__version__, "rows": []}
    for tokens in lengths:
        try:
            result["rows"].append(measure(tokens))
        except Exception as error:  # the other lengths count, too
            result["rows"].append({"tokens": tokens, "error": (str(error).splitlines() or [type(error).__name__])[0]})
        print(result["rows"][-1], flush=True)
        write(result)


def write(result: dict) -> None:
    with open(sys.argv[1] + ".json", "w", encoding="utf-8") as file:
        json.dump(result, file, indent=2)
    with open(sys.argv[1] + ".md", "w", encoding="utf-8") as file:
        file.write(f"{result['device']}, torch {result['torch']}, float16, medians [ms]\n\n"
                   "| tokens | FlexAttention, local | FlexAttention, selected | both | dense |\n|---:|---:|---:|---:|---:|\n")
        for row in result["rows"]:
            if "error" in row:
                file.write(f"| {row['tokens']} | {row['error']} | | | |\n")
                continue
            local, selected, dense = row["flex_local_s"] * 1e3, row["flex_selected_s"] * 1e3, row["dense_s"]
            file.write(f"| {row['tokens']} | {local:.3f} | {selected:.3f} | {local + selected:.3f} | "
                       f"{'' if dense is None else f'{dense * 1e3:.3f}'} |\n")


if __name__ == "__main__":
    main()

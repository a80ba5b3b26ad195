#pragma once

/// Before a function: it is compiled once for each of these instruction sets, and the best that the processor
/// has is chosen when the program starts. What is inlined into it counts as part of it. Multiplications and
/// additions are never fused (-ffp-contract=off): all have the same bits. Compilers without it make the plain
/// one.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define MOSAIC_EACH_INSTRUCTION_SET [[gnu::target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")]]
#else
#define MOSAIC_EACH_INSTRUCTION_SET
#endif

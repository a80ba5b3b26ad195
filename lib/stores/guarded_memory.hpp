#pragma once

namespace mosaic {

/// From now on every block that this process allocates (up to 64 MiB, while their number lasts) ends at
/// memory that can be neither read nor written for 128 KiB, and holds `filling` before it is used and after
/// it is freed. A library that reads or writes beyond its blocks ends the process by a signal whatever lies
/// there; what it reads without writing it first is the same in every process. Otherwise such a library gets
/// what the heap happens to hold: zeros here, a crash there. To be called again for another filling.
///
/// Through the hooks of the GNU C library: for a process of one thread that was started with
/// libc_malloc_debug.so preloaded (which has them since version 2.34). False, and nothing changes, where
/// there are no hooks or no address space.
bool guard_memory(unsigned char filling);

/// Lets the kernel end this process where it asks for 4 GiB or more at once: no chunk of HDF5 is as large,
/// and the library does not always notice that it was refused memory, so that the same file would pass here
/// and fill the memory of a program without a limit. Nothing changes where the kernel has no such filters.
void end_at_huge_allocation();

}  // namespace mosaic

#pragma once

namespace weft {

/// Opens /dev/null in the place of each standard stream (descriptors 0, 1 and 2) that is closed, as some
/// service managers start programs. Otherwise the next socket or file would be one of them, and what is
/// logged would be sent to a peer. Ends the process where that is not possible. The first thing that a
/// program does, while it has one thread.
void open_standard_descriptors();

}  // namespace weft

#pragma once

#include <string_view>

namespace weft::http {

/// Whether a field that came behind a body may go on there (RFC 9110 §6.5.1): none that frames or routes the
/// message, modifies the request, authenticates, controls the response or says how to read the content, for
/// a server that merges trailers into the head would follow it; and none of the mesh's own. Any thread.
bool may_be_a_trailer(std::string_view name);

/// Names that only the mesh may give a meaning to.
bool is_mesh_owned(std::string_view name);

}  // namespace weft::http

#pragma once

#include <span>
#include <string>
#include <string_view>

namespace bookinfo::mongodb {

/// Becomes the database server that `command` starts, and sees to it that the server has the two ratings of
/// the sample. Stands for the image `examples-bookinfo-mongodb` where there are no images: no package of
/// Debian has MongoDB's server, so which program it is is the user's to say.
///
/// A process of its own, nobody's child, waits up to a minute for the server at 127.0.0.1:`port`, puts the
/// ratings in where the collection `ratings` of the database `test` is empty, says so in one line on the
/// standard error, and ends. Returns only on failure: one line for a person.
std::string become(std::string_view port, std::span<const char* const> command);

}  // namespace bookinfo::mongodb

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/environment.h"

namespace bookinfo::mysqldb {

/// Becomes the database server of ratings v2: makes a data directory with the sample's table, when there is
/// none yet, and replaces this process by Debian's `mariadbd`. Stands for the image
/// `examples-bookinfo-mysqldb` where there are no images.
///
/// Variables: `MYSQL_ROOT_PASSWORD`; `MYSQL_DATA_DIR`, by default `/var/lib/mysql`, which must be empty or
/// hold what an earlier run made; `BIND_ADDRESS`. `options` go to the server; those it does not know are left
/// out. Returns only on failure: one line for a person.
std::string become(std::string_view port, std::span<const char* const> options,
                   const Environment& environment);

/// Options for MySQL as options that another server passes over when it does not know them:
/// `--name value` becomes `--loose-name=value`.
std::vector<std::string> as_loose_options(std::span<const char* const> options);

/// The statements that make the sample's table and let `root` in from everywhere, one a line, as the server's
/// `--bootstrap` reads them. The password may be any text without control characters.
std::string seed_statements(std::string_view password);

}  // namespace bookinfo::mysqldb

# Writes OUTPUT, a C++ file that defines bookinfo::productpage::assets::NAME as the bytes of INPUT.
file(READ "${INPUT}" bytes HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
file(WRITE "${OUTPUT}" "#include \"productpage/assets.h\"
namespace {
constexpr unsigned char kBytes[] = {${bytes}};
}
const std::string_view bookinfo::productpage::assets::${NAME}(reinterpret_cast<const char*>(kBytes), sizeof kBytes);
")

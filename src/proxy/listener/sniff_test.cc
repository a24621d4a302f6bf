#include "proxy/listener/sniff.h"

#include <gtest/gtest.h>

#include <string>

namespace weft::proxy {
namespace {

using namespace std::string_view_literals;

/// What is decided, and after how many bytes; the same however they come.
struct Decision {
  Sniffed what = Sniffed::kUndecided;
  std::size_t bytes = 0;
};

Decision decide(std::string_view bytes, std::size_t piece = 1) {
  Sniffer sniffer;
  for (std::size_t size = std::min(piece, bytes.size());; size = std::min(size + piece, bytes.size())) {
    const Sniffed seen = sniffer.look(bytes.substr(0, size));
    if (seen != Sniffed::kUndecided || size == bytes.size()) return {seen, size};
  }
}

void expect(std::string_view bytes, Sniffed what) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, bytes.size()})
    EXPECT_EQ(static_cast<int>(decide(bytes, piece).what), static_cast<int>(what))
        << testing::PrintToString(std::string(bytes.substr(0, 80))) << " in pieces of " << piece;
}

TEST(Sniffer, what_a_server_may_take_for_a_request_is_http_however_it_is_written) {
  for (const std::string_view line : {"GET / HTTP/1.1\r\n"sv,
                                      "get / HTTP/1.1\r\n"sv,
                                      "\r\nGET / HTTP/1.1\r\n"sv,
                                      "\n\r\n\nGET / HTTP/1.1\n"sv,
                                      "MSEARCH2 /x HTTP/1.1\r\n"sv,
                                      "M-SEARCH * HTTP/1.1\r\n"sv,
                                      "!#$%&'*+-.^_`|~9 / HTTP/1.1\r\n"sv,
                                      "GET http://h/x HTTP/1.1\r\n"sv,
                                      "CONNECT h:443 HTTP/1.1\r\n"sv,
                                      "OPTIONS * HTTP/1.1\r\n"sv,
                                      "GET\t/\tHTTP/1.1\r\n"sv,
                                      "  GET  /  HTTP/1.1  \r\n"sv,
                                      "GET\xa0/\xa0HTTP/1.1\r\n"sv,
                                      "GET / http/1.1\r\n"sv,
                                      "GET / HTTP/1.2\r\n"sv,
                                      "GET / HTTP/2.0\r\n"sv,
                                      "GET /\0 HTTP/1.1\r\n"sv,
                                      "GET /a b HTTP/1.1\r\n"sv,
                                      "GET /\x7f\x01 HTTP/1.1\r\n"sv,
                                      "GET /\n"sv,
                                      "GET http://h/x\r\n"sv,
                                      "GET / HTTP/1.1\rHost: a\r\r\n"sv,
                                      "PRI * HTTP/2.0\r\nHost: a\r\n"sv})
    expect(line, Sniffed::kHttp11);
  expect("GET / HTTP/1.0\r\n", Sniffed::kHttp10);
  expect("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Sniffed::kHttp2);
}

TEST(Sniffer, lines_of_other_protocols_and_binary_ones_are_no_http) {
  for (const std::string_view bytes : {"EHLO mail.example.com\r\n"sv,
                                       "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"sv,
                                       "*1\r\n$4\r\nPING\r\n"sv,
                                       "PING\r\n"sv,
                                       "INFO \r\n"sv,
                                       "GET key\r\n"sv,
                                       "get /a/key\r\n"sv,
                                       "set k 0 0 5\r\n"sv,
                                       "USER anna\r\n"sv,
                                       "HTTP/1.1 200 OK\r\n"sv,
                                       "INVITE sip:a@b SIP/2.0\r\n"sv,
                                       "PROXY TCP4 1.1.1.1 2.2.2.2 3 4\r\n"sv,
                                       "CONNECT {\"verbose\":false}\r\n"sv,
                                       "AMQP\0\0\x09\x01"sv,
                                       "\0\0\0\x08\x04\xd2\x16\x2f"sv,
                                       "\x10\x1a\0\x04MQTT"sv,
                                       "0\x0c\x02\x01\x01\x60\x07"sv,
                                       "0 \x02\x01\x01"sv,
                                       "\x30\x1d\x02\x01\x01"sv,
                                       "70:CONTENT_LENGTH\0000\0SERVER_PROTOCOL\0HTTP/1.1\0"sv,
                                       "\x01\x01\0\x01"sv,
                                       "\x16\x02\x01"sv,
                                       "\x7f\x7f"sv,
                                       "GET\r\n"sv,
                                       "\n\x05hello"sv})
    expect(bytes, Sniffed::kOther);
  expect("\x16\x03\x01\x02\x00", Sniffed::kTls);
}

TEST(Sniffer, a_binary_protocol_is_known_by_its_first_bytes) {
  EXPECT_EQ(decide("\x10\x1a"sv).bytes, 1u);
  EXPECT_EQ(decide("AMQP\0\0"sv).bytes, 5u);
}

TEST(Sniffer, a_line_that_may_still_become_a_request_stays_undecided_and_at_the_limit_is_http) {
  for (const std::string_view begun : {""sv, "G"sv, "GET"sv, "GET "sv, "GET /"sv, "GET / HTTP/1.1\r"sv,
                                       "\r\n\r\n"sv, "PRI * HTTP/2.0\r\n\r\nSM"sv, "\x16"sv, "hello world"sv})
    expect(begun, Sniffed::kUndecided);
  expect("GET /?" + std::string(8000, 'q') + " HTTP/1.1\r\n", Sniffed::kHttp11);
  expect("GET /?" + std::string(60'000, 'q') + " HTTP/1.1\r\n", Sniffed::kHttp11);
  expect(std::string(60'000, 'A'), Sniffed::kHttp11);
  expect(std::string(60'000, '\n'), Sniffed::kHttp11);
  EXPECT_EQ(decide(std::string(60'000, 'A')).bytes, Sniffer::kMax);
}

TEST(Sniffer, at_the_end_of_the_bytes_only_what_is_a_request_so_far_is_http) {
  const auto at_end = [](std::string_view bytes) {
    Sniffer sniffer;
    EXPECT_EQ(sniffer.look(bytes), Sniffed::kUndecided);
    return sniffer.at_end(bytes);
  };
  EXPECT_EQ(at_end("GET / HTTP/1.1"), Sniffed::kHttp11);
  EXPECT_EQ(at_end("GET /dump"), Sniffed::kHttp11);
  EXPECT_EQ(at_end("hello"), Sniffed::kOther);
  EXPECT_EQ(at_end("hello world"), Sniffed::kOther);
  EXPECT_EQ(at_end("\x16"), Sniffed::kOther);
  EXPECT_EQ(at_end("\r\n"), Sniffed::kOther);
}

TEST(Sniffer, what_is_still_undecided_when_no_more_is_waited_for_is_taken_as_http) {
  for (const std::string_view bytes : {"PING"sv, "GET /"sv, "\r\n"sv}) {
    Sniffer sniffer;
    EXPECT_EQ(sniffer.look(bytes), Sniffed::kUndecided);
    EXPECT_EQ(sniffer.when_late(bytes), Sniffed::kHttp11);
  }
  EXPECT_EQ(Sniffer().when_late("\x16"), Sniffed::kOther);
}

}  // namespace
}  // namespace weft::proxy

#include <gtest/gtest.h>

#include <deque>

#include "http/grpc/client.h"
#include "http/grpc/session.h"
#include "http/testing/frames.h"
#include "net/testing/pipe.h"

namespace weft::http::grpc {
namespace {

using testing::frame;
using testing::kEndHeaders;
using testing::kEndStream;
using testing::literal_field;
using testing::message;
using enum testing::FrameType;

/// What a caller sees of a call: its messages, then how it ended.
net::Task<void> read_to_end(MessageStream& stream, std::string& into) {
  for (;;) {
    const auto got = co_await stream.read();
    if (!got) {
      into += "! " + got.error().text;
      co_return;
    }
    into += *got + " | ";
  }
}

const std::string kOkHead = "\x88";  // :status 200

struct Answer {
  const char* name;
  std::string bytes;
  std::string seen;
};

std::vector<Answer> answers() {
  const std::string head = frame(kHeaders, kEndHeaders, 1, kOkHead);
  const auto trailers = [](std::string_view status, std::string_view text) {
    return frame(kHeaders, kEndHeaders | kEndStream, 1,
                 literal_field("grpc-status", status) + literal_field("grpc-message", text));
  };
  const auto only_head = [](std::string_view fields) {
    return frame(kHeaders, kEndHeaders | kEndStream, 1, fields);
  };
  const std::string two = message("one") + message("");
  return {
      {"messages and an end in order", head + frame(kData, 0, 1, two) + trailers("0", ""),
       "one |  | ! the call has ended"},
      {"a message over two frames",
       head + frame(kData, 0, 1, two.substr(0, 2)) + frame(kData, 0, 1, two.substr(2)) + trailers("0", ""),
       "one |  | ! the call has ended"},
      {"a status with its words", head + frame(kData, 0, 1, two) + trailers("7", "a+b%20c%"),
       "one |  | ! grpc-status 7: a+b c%"},
      {"a status and no message",
       only_head(kOkHead + literal_field("grpc-status", "14") + literal_field("grpc-message", "away")),
       "! grpc-status 14: away"},
      {"a status that is no number", head + trailers("none", ""), "! the connection ended"},
      {"an end without a status", head + frame(kData, kEndStream, 1, message("one")),
       "one | ! the connection ended"},
      {"an end within a message", head + frame(kData, kEndStream, 1, message("one").substr(0, 6)),
       "! the connection ended"},
      {"an error of HTTP with words",
       frame(kHeaders, kEndHeaders, 1, literal_field(":status", "503")) +
           frame(kData, kEndStream, 1, "no healthy upstream"),
       "! HTTP status 503"},
      {"an error of HTTP", only_head(literal_field(":status", "503")), "! HTTP status 503"},
      {"a reset", head + frame(kReset, 0, 1, std::string("\0\0\0\7", 4)),
       "! the stream was reset: REFUSED_STREAM"},
      {"a compressed message", head + frame(kData, 0, 1, message("zip", true)),
       "! a compressed gRPC message"},
      {"a message beyond the limit", head + frame(kData, 0, 1, std::string("\0\x7f\0\0\0x", 6)),
       "! a gRPC message of 2130706432 bytes; the limit is 33554432"},
      {"a call that nobody made",
       frame(kHeaders, kEndHeaders, 3, kOkHead) + head + frame(kData, 0, 1, two) + trailers("0", ""),
       "! the connection ended"},
      {"a field in upper case", frame(kHeaders, kEndHeaders, 1, kOkHead + literal_field("Name", "x")),
       "! the stream was reset: PROTOCOL_ERROR"},
      {"a frame that is too large", frame(kData, 0, 1, "").replace(0, 3, "\xff\xff\xff"),
       "! the connection ended"},
      {"the words of another protocol", "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
       "! the connection ended"},
  };
}

TEST(SessionTable, what_a_server_sends_is_seen_the_same_however_it_is_cut) {
  for (const Answer& answer : answers()) {
    const std::string bytes = frame(kSettings, 0, 0, "") + answer.bytes;
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
      const auto loop = net::Loop::simulated();
      auto [ours, theirs] = net::testing::make_pipe(*loop);
      const auto client = Client::over(std::move(ours));
      const auto stream = client->open("/t.T/Ask", "control");
      std::string seen;
      net::TaskScope scope;
      scope.spawn(read_to_end(*stream, seen));
      loop->settle();
      net::testing::send_in_pieces(*loop, *theirs, bytes, piece);
      theirs->close();
      loop->settle();
      ASSERT_EQ(seen, answer.seen) << answer.name << ", in pieces of " << piece;
    }
  }
}

/// What a server makes of a client's bytes: each call with its path and what it read, in order.
std::string served(std::string_view bytes, std::size_t piece) {
  const auto loop = net::Loop::simulated();
  auto [ours, theirs] = net::testing::make_pipe(*loop);
  std::deque<std::string> calls;
  Session session(
      std::move(ours),
      [&](MessageStream& stream, Session::Opening head) {
        auto& seen =
            calls.emplace_back(head.path + " " + std::string(head.metadata.get("who").value_or("-")) + ": ");
        return read_to_end(stream, seen);
      },
      SessionLimits::for_server());
  net::TaskScope running;
  running.spawn(session.run());
  net::testing::send_in_pieces(*loop, *theirs, bytes, piece);
  theirs->close();
  loop->settle();
  EXPECT_TRUE(session.broken());
  std::string all;
  for (const std::string& call : calls) all += call + "\n";
  return all;
}

constexpr std::size_t kResetFrame = 13;

TEST(SessionTable, what_a_client_sends_is_seen_the_same_however_it_is_cut) {
  const auto opening = [](unsigned char stream, std::string_view path, unsigned char flags = 0) {
    return frame(kHeaders, kEndHeaders | flags, stream,
                 "\x83\x86" + literal_field(":path", path) + literal_field(":authority", "c") +
                     literal_field("who", "me"));
  };
  const struct {
    const char* name;
    std::string bytes, seen;
    bool may_be_unseen = false;  ///< when all of it comes at once
  } table[] = {
      {"a call and its end", opening(1, "/a") + frame(kData, kEndStream, 1, message("x") + message("y")),
       "/a me: x | y | ! the call has ended\n"},
      {"an end without a word", opening(1, "/a") + frame(kData, 0, 1, message("x")),
       "/a me: x | ! the connection ended\n"},
      {"a call that is nothing but its head", opening(1, "/a", kEndStream), "/a me: ! the call has ended\n"},
      {"two calls that take turns",
       opening(1, "/a") + opening(3, "/b") + frame(kData, 0, 1, message("1").substr(0, 3)) +
           frame(kData, kEndStream, 3, message("3")) + frame(kData, kEndStream, 1, message("1").substr(3)),
       "/a me: 1 | ! the call has ended\n/b me: 3 | ! the call has ended\n"},
      {"a call that is taken back", opening(1, "/a") + frame(kReset, 0, 1, std::string("\0\0\0\x8", 4)),
       "/a me: ! the stream was reset: CANCEL\n", true},
      {"trailers of a request",
       opening(1, "/a") + frame(kData, 0, 1, message("x")) +
           frame(kHeaders, kEndHeaders | kEndStream, 1, literal_field("late", "1")),
       "/a me: x | ! the call has ended\n"},
      {"a ninth call",
       [&] {
         std::string many;
         for (unsigned char stream = 1; stream <= 17; stream += 2) many += opening(stream, "/a");
         return many;
       }(),
       [] {
         std::string eight;
         for (int i = 0; i < 8; ++i) eight += "/a me: ! the connection ended\n";
         return eight;
       }()},
      {"no preface", "x", ""},
  };
  for (const auto& row : table) {
    const bool preface = std::string_view(row.name) != "no preface";
    const std::string bytes =
        (preface ? std::string(testing::kPreface) + frame(kSettings, 0, 0, "") : "GET / HTTP/1.1\r\n") +
        row.bytes;
    for (std::size_t piece = 1; piece <= bytes.size(); piece += piece < 40 ? 1 : 17) {
      const std::string seen = served(bytes, piece);
      if (seen.empty() && row.may_be_unseen && piece > kResetFrame) continue;
      ASSERT_EQ(seen, row.seen) << row.name << ", in pieces of " << piece;
    }
    ASSERT_EQ(served(bytes, bytes.size()), row.may_be_unseen ? "" : row.seen) << row.name << ", in one piece";
  }
}

TEST(SessionTable, a_call_on_a_session_that_is_over_fails_at_once) {
  const auto loop = net::Loop::simulated();
  auto [ours, theirs] = net::testing::make_pipe(*loop);
  const auto client = Client::over(std::move(ours));
  theirs->close();
  loop->settle();
  const auto stream = client->open("/t.T/Ask", "control");
  std::string seen;
  net::TaskScope scope;
  scope.spawn(read_to_end(*stream, seen));
  loop->settle();
  EXPECT_EQ(seen, "! the connection ended");
}

}  // namespace
}  // namespace weft::http::grpc

#include "pod/dns_message.h"

#include <gtest/gtest.h>

#include "pod/testing/name_server.h"

namespace weft::pod {
namespace {

std::string question(const std::string& name, unsigned char id = 7) {
  return testing::dns_question(name, id);
}

std::string response(std::string to) {
  to[2] = static_cast<char>(to[2] | 0x80);
  return to;
}

TEST(Pod, tells_dns_questions_from_other_bytes) {
  const std::string good = question("reviews");
  EXPECT_TRUE(is_dns_question(good));
  EXPECT_TRUE(is_dns_question(good + "additional records")) << "such as EDNS";
  EXPECT_FALSE(is_dns_question(response(good)));
  for (std::size_t length = 0; length < good.size(); ++length)
    EXPECT_FALSE(is_dns_question(good.substr(0, length))) << length;
  std::string two = good, pointer = good;
  two[5] = 2;
  EXPECT_FALSE(is_dns_question(two));
  pointer[12] = static_cast<char>(0xc0);
  EXPECT_FALSE(is_dns_question(pointer));
}

TEST(Pod, rejects_a_dns_name_that_is_too_long) {
  std::string endless = question("a").substr(0, 12);
  for (int label = 0; label < 100; ++label) endless += std::string("\x3", 1) + "abc";
  EXPECT_FALSE(is_dns_question(endless + std::string("\0\0\1\0\1", 5)));
}

TEST(Pod, takes_a_dns_response_only_for_its_own_question) {
  const std::string asked = question("reviews");
  EXPECT_TRUE(is_dns_response_to(response(asked), asked));
  EXPECT_TRUE(is_dns_response_to(response(question("REVIEWS")) + "records", asked));
  EXPECT_FALSE(is_dns_response_to(asked, asked)) << "a question is not a response";
  EXPECT_FALSE(is_dns_response_to(response(question("reviews", 8)), asked)) << "another id";
  EXPECT_FALSE(is_dns_response_to(response(question("ratings")), asked)) << "another name";
  std::string other_type = response(asked);
  other_type[other_type.size() - 3] = 28;
  EXPECT_FALSE(is_dns_response_to(other_type, asked));
  EXPECT_FALSE(is_dns_response_to("", asked));
}

TEST(Pod, an_error_without_a_question_is_a_response_to_the_question_of_its_id) {
  const std::string asked = question("reviews");
  for (const char code : {1, 4, 5}) {
    std::string bare = response(asked).substr(0, 12);
    bare[3] = code;
    bare[5] = 0;
    EXPECT_TRUE(is_dns_response_to(bare, asked)) << int{code};
    EXPECT_FALSE(is_dns_response_to(bare, question("reviews", 8))) << "another id";
    EXPECT_FALSE(is_dns_response_to(bare.substr(0, 11), asked)) << "cut off";
    bare[2] = static_cast<char>(bare[2] & 0x7f);
    EXPECT_FALSE(is_dns_response_to(bare, asked)) << "no response";
  }
  std::string success = response(asked).substr(0, 12);
  success[3] = success[5] = 0;
  EXPECT_FALSE(is_dns_response_to(success, asked)) << "a response repeats its question";
}

TEST(Pod, a_dns_failure_is_a_response_to_its_question) {
  const std::string asked = question("reviews");
  const std::string failure = dns_server_failure(asked + "additional records");
  EXPECT_TRUE(is_dns_response_to(failure, asked));
  EXPECT_EQ(failure.size(), asked.size());
  EXPECT_EQ(failure[2] & 1, 1) << "recursion was desired";
  EXPECT_EQ(failure[3], 2);
}

}  // namespace
}  // namespace weft::pod

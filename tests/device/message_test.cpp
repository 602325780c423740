#include "fettle/device/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fettle/core/error.h"
#include "fettle/core/random.h"

namespace fettle {
namespace {

using testing::HasSubstr;

TEST(MessageTest, IsAHeaderAndABody) {
  EXPECT_EQ(Encoded({7, "measure_layer", "a\nb"}), "fettle/1 7 measure_layer 3\na\nb");
}

TEST(MessageTest, ComesThroughInAnyPieces) {
  const Message first{1, "answer", std::string("zero \0 byte\nline", 16)};
  const Message second{~uint64_t{0}, "progress", ""};
  const std::string bytes = Encoded(first) + Encoded(second);
  for (const size_t piece : {size_t{1}, size_t{2}, size_t{7}, bytes.size()}) {
    MessageDecoder decoder;
    std::vector<Message> messages;
    for (size_t i = 0; i < bytes.size(); i += piece) {
      decoder.Feed(std::string_view(bytes).substr(i, piece));
      while (auto message = decoder.Next()) messages.push_back(*message);
    }
    EXPECT_EQ(messages, (std::vector<Message>{first, second})) << piece;
    EXPECT_FALSE(decoder.HasBegun());
  }
}

TEST(MessageTest, ATruncatedOneIsAwaited) {
  const std::string bytes = Encoded({1, "answer", "body"});
  for (size_t length = 0; length < bytes.size(); ++length) {
    MessageDecoder decoder;
    decoder.Feed(std::string_view(bytes).substr(0, length));
    EXPECT_FALSE(decoder.Next().has_value());
    EXPECT_EQ(decoder.HasBegun(), length > 0);
  }
}

TEST(MessageTest, GarbageIsAnErrorAtOnce) {
  for (const char* bytes :
       {"x", "\n", "GET / HTTP/1.1\r\n", "fettle/1\n", "fettle/1 1 answer\n",
        "fettle/1 1 answer 0 0\n", "fettle/1 -1 answer 0\n", "fettle/1 1 answer -1\n",
        "fettle/1 1 Answer 0\n", "fettle/1 1  0\n", "fettle/1 1 answer 0x10\n",
        "fettle/1 1 answer 99999999999999999999\n", "fettle/1 99999999999999999999 answer 1\n",
        "fettle/1 1 abcdefghijklmnopqrstuvwxyzabcdefg 0\n",
        "\x7f"
        "ELF"}) {
    MessageDecoder decoder;
    decoder.Feed(bytes);
    EXPECT_THROW(decoder.Next(), Error) << bytes;
  }
}

TEST(MessageTest, AHeaderWithoutEndIsGarbage) {
  MessageDecoder decoder;
  decoder.Feed("fettle/1 1 answer " + std::string(kLongestHeader, '1'));
  EXPECT_THROW(decoder.Next(), Error);
}

TEST(MessageTest, FaultsAreNamed) {
  const auto fault_of = [](std::string_view bytes) -> std::string {
    MessageDecoder decoder;
    decoder.Feed(bytes);
    try {
      decoder.Next();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kDevice);
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(fault_of("fettle/2 1 answer 0\n"),
              HasSubstr("protocol 'fettle/2', this is 'fettle/1'"));
  EXPECT_THAT(fault_of("fettle/1 1 answer 16777217\n"), HasSubstr("longest allowed is 16777216"));
  EXPECT_THAT(fault_of("\x1b[2Jhi\n"), HasSubstr("'?[2Jhi'"));
}

TEST(MessageTest, NoBytesDoMoreThanThrow) {
  Random random(11);
  const std::string sound = Encoded({12, "measure_layer", "{\"a\":1}"});
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = sound + sound;
    for (uint64_t change = random.Below(4); change > 0; --change) {
      bytes[random.Below(bytes.size())] = static_cast<char>(random.Below(256));
    }
    MessageDecoder decoder;
    decoder.Feed(bytes);
    try {
      int messages = 0;
      while (decoder.Next()) ++messages;
      EXPECT_LE(messages, 2 + 7);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kDevice);
    }
  }
}

}  // namespace
}  // namespace fettle

#pragma once

#include <string_view>

/// The files of samples/bookinfo/assets, compiled in. CMake writes the definitions.
namespace bookinfo::productpage::assets {

extern const std::string_view kAccountHtml;
extern const std::string_view kCallHtml;
extern const std::string_view kDetailsHtml;
extern const std::string_view kFailureHtml;
extern const std::string_view kIndexHtml;
extern const std::string_view kLayoutHtml;
extern const std::string_view kMakingHtml;
extern const std::string_view kProductHtml;
extern const std::string_view kReviewHtml;
extern const std::string_view kReviewsHtml;
extern const std::string_view kSignInHtml;
extern const std::string_view kStyleCss;
extern const std::string_view kScriptJs;
extern const std::string_view kIzzyPng;

}  // namespace bookinfo::productpage::assets

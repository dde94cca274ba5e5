#pragma once
// Makes log text safe for a terminal: colours pass, everything else that a terminal would obey is shown instead, as
// `cat -v` shows it. A log may hold whatever a build printed; it must not retitle a window, fill the clipboard, hide
// lines or answer questions in the reader's name.
//
//   pass      printable UTF-8, tab, newline, CR before newline (dropped), SGR sequences (ESC [ … m) but for "conceal"
//   shown     ESC ^[ · controls ^X · DEL ^? · stray bytes M-x · C1, bidi and invisible characters <U+202E>
//   CR alone  ^M and a new line, so that nothing is written over
//
// The result does not depend on how the text was cut into feeds. One thread at a time.

#include <string>
#include <string_view>

namespace ocelot::logs {

class TerminalFilter {
 public:
  // Without colours SGR sequences are taken out silently: for NO_COLOR and for files.
  explicit TerminalFilter(bool colours = true) : colours_(colours) {}
  void feed(std::string_view in, std::string& out);
  // Shows what is unfinished and ends a colour that is still on.
  void flush(std::string& out);

 private:
  void run(std::string_view text, bool last, std::string& out);
  // Takes the one thing that `rest` begins with. Returns how many bytes it was; 0: more are needed to tell.
  std::size_t take(std::string_view rest, bool last, std::string& out);
  std::size_t takeEscape(std::string_view rest, bool last, std::string& out);
  std::size_t takeWide(std::string_view rest, bool last, std::string& out);

  bool colours_;
  bool coloured_ = false;
  std::string held_;  // an unfinished sequence, less than kMaxSequence bytes
};

// The same for a whole text at once.
std::string terminalSafe(std::string_view text, bool colours);

}  // namespace ocelot::logs

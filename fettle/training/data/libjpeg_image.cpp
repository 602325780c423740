// libjpeg reports faults by a function that must not return: a longjmp back to Decode, which
// therefore holds nothing that has a destructor; what it fills belongs to its caller.
#include "fettle/training/data/libjpeg_image.h"

#include <jerror.h>
#include <jpeglib.h>

#include <csetjmp>
#include <cstdio>
#include <new>

#include "fettle/core/error.h"

namespace fettle {
namespace {

// A progressive file of a few bytes can ask for any number of passes over its image.
constexpr int kMostScans = 100;

struct Faults {
  jpeg_error_mgr manager;  // first, for libjpeg hands back a pointer to it
  jpeg_progress_mgr progress;
  std::jmp_buf back;
  char message[JMSG_LENGTH_MAX] = "";
};

[[noreturn]] void Fail(j_common_ptr decoder) {
  auto* const faults = reinterpret_cast<Faults*>(decoder->err);
  decoder->err->format_message(decoder, faults->message);
  std::longjmp(faults->back, 1);
}

// A file that ends early is a warning to libjpeg, and grey pixels; to us it is damaged.
void OnMessage(j_common_ptr decoder, int level) {
  const int code = decoder->err->msg_code;
  if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER)) Fail(decoder);
}

void OnProgress(j_common_ptr decoder) {
  const auto* const decompress = reinterpret_cast<jpeg_decompress_struct*>(decoder);
  if (decompress->input_scan_number <= kMostScans) return;
  auto* const faults = reinterpret_cast<Faults*>(decoder->err);
  std::snprintf(faults->message, sizeof(faults->message), "more than %d scans", kMostScans);
  std::longjmp(faults->back, 1);
}

// Fills the image with what the file has: 1, 3 or 4 channels.
bool Decode(const std::string& bytes, int64_t channels, Faults* faults, Image* image) {
  jpeg_decompress_struct decoder;
  decoder.err = jpeg_std_error(&faults->manager);
  faults->manager.error_exit = Fail;
  faults->manager.emit_message = OnMessage;
  faults->progress.progress_monitor = OnProgress;
  if (setjmp(faults->back) != 0) {
    jpeg_destroy_decompress(&decoder);
    return false;
  }
  jpeg_create_decompress(&decoder);
  decoder.progress = &faults->progress;
  jpeg_mem_src(&decoder, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_read_header(&decoder, TRUE);
  const bool has_four =
      decoder.jpeg_color_space == JCS_CMYK || decoder.jpeg_color_space == JCS_YCCK;
  decoder.out_color_space = has_four ? JCS_CMYK : channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  image->height = decoder.image_height;
  image->width = decoder.image_width;
  if (image->height * image->width > kMostPixels) {
    std::snprintf(faults->message, sizeof(faults->message), "%lld x %lld pixels are too many",
                  static_cast<long long>(image->width), static_cast<long long>(image->height));
    std::longjmp(faults->back, 1);
  }
  jpeg_start_decompress(&decoder);
  image->channels = decoder.output_components;
  try {
    image->pixels.resize(static_cast<size_t>(image->height * image->width * image->channels));
  } catch (const std::bad_alloc&) {
    jpeg_destroy_decompress(&decoder);
    throw;
  }
  while (decoder.output_scanline < decoder.output_height) {
    JSAMPROW row = image->pixels.data() + static_cast<size_t>(decoder.output_scanline) *
                                              static_cast<size_t>(image->width * image->channels);
    jpeg_read_scanlines(&decoder, &row, 1);
  }
  jpeg_finish_decompress(&decoder);
  jpeg_destroy_decompress(&decoder);
  return true;
}

// Adobe stores the four inks inverted: 255 is none. A file without its mark is taken as Adobe's
// too, as Pillow does.
Image FromFourInks(const Image& inks, int64_t channels) {
  Image image{inks.height, inks.width, channels, {}};
  for (size_t i = 0; i + 3 < inks.pixels.size(); i += 4) {
    int colours[3];
    for (size_t c = 0; c < 3; ++c) colours[c] = inks.pixels[i + c] * inks.pixels[i + 3] / 255;
    if (channels == 1) {
      const int grey = (299 * colours[0] + 587 * colours[1] + 114 * colours[2] + 500) / 1000;
      image.pixels.push_back(static_cast<uint8_t>(grey));
      continue;
    }
    for (const int colour : colours) image.pixels.push_back(static_cast<uint8_t>(colour));
  }
  return image;
}

}  // namespace

Image DecodeJpeg(const std::string& bytes, int64_t channels, const std::string& name) {
  Faults faults;
  Image image;
  if (!Decode(bytes, channels, &faults, &image)) {
    throw BadInput(name, ": damaged JPEG (", faults.message,
                   "); replace it or take it out of the dataset");
  }
  return image.channels == 4 ? FromFourInks(image, channels) : image;
}

}  // namespace fettle

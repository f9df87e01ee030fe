#ifndef CPANGO_SHIM_H
#define CPANGO_SHIM_H
#include <pango/pangocairo.h>

// Pango's handles as opaque pointers, and its cast macros, which Swift cannot see.

static inline void *cpango_font_map_new(void) { return pango_cairo_font_map_new(); }

static inline void *cpango_context_new(void *fonts) {
  PangoContext *context = pango_font_map_create_context((PangoFontMap *)fonts);
  cairo_font_options_t *options = cairo_font_options_create();
  cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
  cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
  pango_cairo_context_set_font_options(context, options);
  cairo_font_options_destroy(options);
  return context;
}

/// Whether a sans-serif font or anything in its place can be loaded. (The list of families names aliases even without a font.)
static inline int cpango_has_fonts(void *fonts, void *context) {
  PangoFontDescription *wanted = pango_font_description_from_string("sans-serif 10");
  PangoFont *font = pango_font_map_load_font((PangoFontMap *)fonts, (PangoContext *)context, wanted);
  pango_font_description_free(wanted);
  if (!font) return 0;
  g_object_unref(font);
  return 1;
}

static inline void *cpango_layout_new(void *context) { return pango_layout_new((PangoContext *)context); }
static inline void cpango_unref(void *object) { g_object_unref(object); }

/// Text of letters `size` pixels high in the system's sans-serif font, at most `width` pixels wide: with a `height` of 0 one line, else as
/// many centred lines as fit into `height` pixels, the first in any case. What has no room ends in an ellipsis.
static inline void cpango_layout_set(void *layout, const char *text, int length, double size, int width, int height, int bold) {
  PangoLayout *line = (PangoLayout *)layout;
  PangoFontDescription *font = pango_font_description_new();
  pango_font_description_set_family_static(font, "sans-serif");
  pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
  pango_font_description_set_weight(font, bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
  pango_layout_set_font_description(line, font);
  pango_font_description_free(font);
  pango_layout_set_single_paragraph_mode(line, TRUE);
  pango_layout_set_auto_dir(line, TRUE);
  pango_layout_set_ellipsize(line, PANGO_ELLIPSIZE_END);
  pango_layout_set_width(line, -1);
  pango_layout_set_height(line, -1);
  pango_layout_set_alignment(line, PANGO_ALIGN_LEFT);
  pango_layout_set_text(line, text ? text : "", text ? length : 0);
  int natural = 0;
  pango_layout_get_pixel_size(line, &natural, NULL);
  // A width turns right-to-left lines to the far edge, so it is set only where the line must be cut.
  if (natural <= width) return;
  pango_layout_set_width(line, width * PANGO_SCALE);
  if (height <= 0) return;
  pango_layout_set_wrap(line, PANGO_WRAP_WORD_CHAR);
  pango_layout_set_alignment(line, PANGO_ALIGN_CENTER);
  pango_layout_set_height(line, height * PANGO_SCALE);
}

static inline int cpango_layout_is_cut(void *layout) { return pango_layout_is_ellipsized((PangoLayout *)layout); }
static inline int cpango_layout_lines(void *layout) { return pango_layout_get_line_count((PangoLayout *)layout); }

static inline void cpango_layout_size(void *layout, int *width, int *height) {
  pango_layout_get_pixel_size((PangoLayout *)layout, width, height);
}

/// How many characters of the text no font has.
static inline int cpango_layout_unknown(void *layout) { return pango_layout_get_unknown_glyphs_count((PangoLayout *)layout); }

static inline void cpango_show(cairo_t *cairo, void *layout) { pango_cairo_show_layout(cairo, (PangoLayout *)layout); }
#endif

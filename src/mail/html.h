/* html.h - HTML to plain text
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The markup is read by the tokenizer of the HTML standard (13.2.5), so that
 * what a browser does not show is not found: comments, scripts, style sheets,
 * templates and what stands in attributes are dropped, the title is kept.
 * Blanks are joined as a browser joins them, except in <pre>; <br> and the
 * ends of blocks are one LF, cells of a table are a blank apart.  A no-break
 * space is a blank like others: a rule that says "buy now" means both. */
#ifndef MAIL_HTML_H
#define MAIL_HTML_H

#include "base/arena.h"

/* html is UTF-8; bytes that are not pass unchanged */
struct str html_text(struct arena *, struct str html);
/* The charset that a <meta> of the first KB names: 1, or 0 */
int html_charset(struct str html, struct str *ret);

#endif

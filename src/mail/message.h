/* message.h - one message: its bytes, an index of its fields, what was decoded
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Nothing is looked at that nobody asks for: the header is scanned at the
 * first question about a field, a value is unfolded and decoded at its first
 * use, MIME structure is found when a rule first needs a part. Everything
 * computed lives in the message's arena and is shared by all recipients. */
#ifndef MAIL_MESSAGE_H
#define MAIL_MESSAGE_H

#include "mail/cell.h"

struct mail_part;
struct wire;

struct mail_address {
	struct cell all;                /* local@domain; the raw text when it does not parse */
	struct cell local, domain;      /* local part unquoted */
	bool valid;                     /* false: matches only as a whole */
};

struct field {
	struct str name;                /* lower case; blanks before ":" removed */
	struct str raw;                 /* body after ":", folds and final line end as received */
	struct str whole;               /* the field's bytes, name to final line end */
	struct cell *value;             /* unfolded, trimmed, RFC 2047 decoded to UTF-8; NULL: not yet */
	struct cell *plain;             /* unfolded and trimmed, not decoded; NULL: not yet; often the same */
	struct mail_address *address;
	int naddress;                   /* -1: not parsed yet */
	unsigned position;              /* n-th field of the header, from 0 */
	struct field *same;             /* next field of this name, top to bottom */
	struct field *chain;            /* next name in the hash bucket (first of its name only) */
	uint32_t hash, nsame;           /* of the first of its name: how many there are */
};

struct fact {
	struct str name;
	struct cell value;
	struct mail_address *path;      /* the value as an SMTP path, once somebody asked; of the value at path_of */
	const char *path_of;
	struct fact *next;
};

struct message {
	struct arena arena;
	struct arena scratch;           /* for the next run */
	struct str header;              /* borrowed: block up to and including the empty line, if given */
	struct str body;                /* borrowed */
	uint64_t size;                  /* octets of the whole message, line ends as CRLF (RFC 5228 5.9 counts what SMTP carried) */
	bool indexed;
	struct field *field;            /* in order of appearance */
	unsigned nfields;
	struct field **bucket;
	unsigned nbuckets;              /* power of two */
	struct fact *fact;              /* through message_facts() */
	void (*tell)(void *ctx, struct message *);      /* more facts, once somebody asks; NULL: that is all */
	void *tell_ctx;
	struct mail_part *root;         /* NULL: structure not looked at yet */
	struct wire *wire;              /* of the body (mail/wire.h) */
	uint64_t work;                  /* grows with the bytes touched (about one per 64); the machine charges the difference */
};

void message_init(struct message *);
void message_reset(struct message *);   /* for the next one; keeps memory */
void message_done(struct message *);

/* Borrowed until reset.  A later call replaces the header and forgets its index. */
void message_set_header(struct message *, struct str block);
void message_set_body(struct message *, struct str body, uint64_t size);
void message_set_fact(struct message *, struct str name, struct str value);
struct fact *message_facts(struct message *);                   /* the list of them */
struct cell *message_fact(struct message *, struct str name);   /* NULL: not known */

/* Splits raw bytes (LF, CRLF or mixed ends; an mbox "From " first line is
 * skipped) into header block and body.  The header ends at the first empty line, or before the first line
 * that can be no field and no continuation; then the body begins there. */
void message_split(struct str raw, struct str *ret_header, struct str *ret_body);

/* The octets of raw once every line ends in CRLF (RFC 5228 5.9) */
uint64_t message_wire_size(struct str raw);

/* Looks at the header now, so that .field and .nfields can be walked. */
void message_index(struct message *);
/* First field of that lower-case name, or NULL; next ones by ->same.  hash: its str_hash_seeded(). */
struct field *message_field(struct message *, struct str name, uint32_t hash);

/* mail/header.c: never fails; what cannot be decoded stays as it is */
const struct cell *field_value(struct message *, struct field *);
const struct cell *field_plain(struct message *, struct field *);
/* A field outside a message's index (an added one): value as given. */
struct field *field_new(struct arena *, struct str name, struct str value);
/* RFC 2047 words in unfolded text to UTF-8; v itself when there are none. */
struct str header_decode(struct arena *, struct str v);
/* is this a field name that RFC 5322 2.2 allows? */
bool header_name_ok(struct str);

/* mail/address.c: the addresses of a field; groups are flattened; never fails
 * (unparsable pieces are entries with valid == false).  Returns how many. */
int field_addresses(struct message *, struct field *);
/* The same for any text. */
int address_parse(struct arena *, struct str text, struct mail_address **ret);
/* Exactly one address, as rules write it: mailbox or addr-spec.  Returns 1 or 0; UTF-8 allowed (RFC 6532). */
int address_one(struct arena *, struct str text, struct mail_address *ret);
/* An SMTP path: "<a@b>", "a@b", "<>" or "" (null: local and domain empty, valid), "postmaster"; source routes dropped. Returns 1 or 0. */
int address_path(struct arena *, struct str text, struct mail_address *ret);

/* local@domain as it must be written: the local part quoted if it has to be */
struct str address_spec(struct arena *, const struct mail_address *);

/* --- MIME parts (mail/part.c, GMime inside) */
struct mail_part {
	struct str type, subtype;       /* lower case; "text" "plain" when the field is missing or broken (RFC 2045 5.2) */
	struct field *field;            /* the part's own header */
	unsigned nfields;
	struct mail_part *child, *next, *parent;        /* message/rfc822: one child */
	struct str raw;                 /* its body, still encoded, as in the message; borrowed */
	struct str header_raw;          /* its header block */
	struct cell decoded;            /* transfer encoding undone; .v.s NULL: not yet */
	struct cell text;               /* decoded to UTF-8 (and for text/html to plain text); .v.s NULL: not yet */
	bool broken;                    /* encoding or charset could not be undone, or not for all bytes; what could not is as it was (charsets: U+FFFD) */
	struct str prologue, epilogue;  /* of a multipart: preamble and epilogue bytes */
	struct wire *wire;              /* of any text above (mail/wire.h) */
	void *private_;
};

/* The root part; never NULL.  Limits LIMIT_PARTS, LIMIT_PART_NESTING: what is beyond is an opaque leaf. */
struct mail_part *message_parts(struct message *);
/* pre-order walk; NULL at the end */
struct mail_part *part_next(const struct mail_part *);
const struct cell *part_decoded(struct message *, struct mail_part *);
/* text/ * parts in UTF-8: HTML becomes text (mail/html.c); other types: the decoded bytes */
const struct cell *part_text(struct message *, struct mail_part *, bool strip_html);

#endif

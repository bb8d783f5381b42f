/* sieve.y - the grammar of RFC 5228 section 8.2; no command name stands here
 * SPDX-License-Identifier: BSD-2-Clause */
%code requires {
#include "lang/parse.h"
}

%code {
int parse_token(YYSTYPE *, struct parse *);
#define sieve_lex parse_token
static void yyerror(struct parse *, const char *);
}

%define api.pure full
%define api.prefix {sieve_}
%define parse.error custom
%expect 0
%param { struct parse *p }

/* Tokens carry their place, so that Bison need not keep one for every symbol. */
%union {
	struct ast_string word;
	struct { uint64_t value; struct span at; } number;
	struct span at;
	struct { struct ast_arg *first, *last; } args;
	struct ast_node *node;
	struct { struct ast_node *first, *last; } nodes;
}

%token END 0           "end of file"
%token <word> IDENTIFIER "identifier"
%token <word> TAG      "tag"
%token <number> NUMBER "number"
%token <word> STRING   "string"
%token BROKEN          "broken token"
/* in the order in which messages name them */
%token ';' '{' '}' '('
%token <at> ')'
%token ','
%token <at> '[' ']'
%token <at> LIST       "list of strings"

%type <nodes> commands tests block
%type <node> command head
%type <args> arguments

/* tree and strings live in arenas: nothing to destroy */
%destructor { (void)$$; } <node> <nodes> <args>

%%

/* Commands at the top are handed over one by one, so that the tree of a long script never stands as a whole. */
start:
	%empty
	| start command                         { parse_command(p, $2); }
	| start error ';'                       { yyerrok; }
	| start error block                     { (void)$3; yyerrok; }
	;

commands:
	%empty                                  { $$.first = $$.last = NULL; }
	| commands command                      { $$ = $1; parse_append(&$$.first, &$$.last, $2); }
	| commands error ';'                    { $$ = $1; yyerrok; }
	| commands error block                  { $$ = $1; (void)$3; yyerrok; }
	;

command:
	head ';'                                { $$ = $1; }
	| head block                            { $$ = $1; $$->has_block = true; $$->block = $2.first; }
	;

block:
	'{' commands '}'                        { $$ = $2; }
	;

/* arguments = *argument [ test / test-list ] */
head:
	IDENTIFIER arguments                    { $$ = parse_node(p, &$1, $2.first, $2.last ? $2.last->at.to : 0); }
	| IDENTIFIER arguments head             { $$ = parse_node(p, &$1, $2.first, $3->end); $$->tests = $3; }
	| IDENTIFIER arguments '(' tests ')'    { $$ = parse_node(p, &$1, $2.first, $5.to); $$->tests = $4.first;
	                                          $$->parenthesised = true; }
	;

/* a test is what the head of a command is */
tests:
	head                                    { $$.first = $$.last = $1; }
	| tests ',' head                        { $$ = $1; $$.last->next = $3; $$.last = $3; }
	;

arguments:
	%empty                                  { $$.first = $$.last = NULL; }
	| arguments TAG                         { $$ = $1; parse_arg(p, &$$.first, &$$.last, AST_TAG, $2.at)->tag = $2.value; }
	| arguments NUMBER                      { $$ = $1; parse_arg(p, &$$.first, &$$.last, AST_NUMBER, $2.at)->number = $2.value; }
	| arguments STRING                      { $$ = $1; parse_one_string(p, parse_arg(p, &$$.first, &$$.last, AST_STRING, $2.at), &$2); }
	| arguments LIST                        { $$ = $1; parse_strings(p, parse_arg(p, &$$.first, &$$.last, AST_STRINGS, $2)); }
	| arguments '[' strings ']'             { $$ = $1; parse_strings(p, parse_arg(p, &$$.first, &$$.last, AST_STRINGS, SPAN($2.from, $4.to))); }
	| arguments '[' ']'                     { $$ = $1; parse_empty_list(p, parse_arg(p, &$$.first, &$$.last, AST_STRINGS, SPAN($2.from, $3.to))); }
	;

/* Kept in the parser's own array: lists do not nest.  Most are LISTs, read in one go (parse_list); what follows is for
 * those with comments in them, with escapes or with mistakes. */
strings:
	STRING                                  { parse_string(p, &$1); }
	| strings ',' STRING                    { parse_string(p, &$3); }
	;

%%

#define EXPECTED_MAX 24

static int
yyreport_syntax_error(const yypcontext_t *context, struct parse *p)
{
	yysymbol_kind_t expected[EXPECTED_MAX], got = yypcontext_token(context);
	int n = yypcontext_expected_tokens(context, expected, EXPECTED_MAX);
	const char *names[EXPECTED_MAX];
	int count = 0;

	if (got == YYSYMBOL_BROKEN)             /* the lexer has told */
		return 0;
	for (int i = 0; i < n; i++)
		if (expected[i] != YYSYMBOL_BROKEN && expected[i] != YYSYMBOL_LIST && expected[i] != YYSYMBOL_YYerror)
			names[count++] = yysymbol_name(expected[i]);
	parse_unexpected(p, yysymbol_name(got), got == YYSYMBOL_YYEOF, names, count);
	return 0;
}

static void
yyerror(struct parse *p, const char *text)
{
	diag_error(p->lex.diag, p->lex.source, p->at, NULL, "%s", text);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reading, deriving and writing in order.
 *
 * Every thread, the main one among them, does all three: it reads a piece of the input that ends
 * with a record, and its number; derives; and writes all those whose turn has come, if nobody does.
 * What a thread has read and made stays in its processor's cache, as a rule, and whoever writes line
 * by line gets his answer line by line.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fleet.h"
#include "pieces.h"
#include "pipeline.h"
#include "progress.h"

#define END_OF_INPUT (-1)

struct run {
	struct pipeline *p;
	struct pieces pieces;

	pthread_mutex_t reading;	/* what comes next */
	int in;
	bool eof, ended;
	uint64_t line;		/* number of the next line to be read */
	uint64_t count;		/* how many pieces have been read */
	char *rest;		/* PIECE_SIZE: the begun record behind the last piece */
	size_t rest_len;

	/* has who writes */
	struct output out;
	struct output rejects;
	uint64_t refused;
	struct progress progress;
};

/* One read behind what a piece holds already */
static int read_more(struct run *run, char *text, size_t *len)
{
	ssize_t n;

	do {
		n = read(run->in, text + *len, PIECE_SIZE - *len);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return complain("the input cannot be read: %s", strerror(errno));
	run->eof = !n;
	*len += (size_t)n;
	return 0;
}

/* Where the last whole record of a piece ends; a JSON string has no line feed in it */
static size_t whole_records(const struct run *run, const char *text, size_t len)
{
	const char *last;
	size_t end = 0, n;

	if (run->p->settings.objects || !memchr(text, '"', len)) {
		last = memrchr(text, '\n', len);
		return last ? (size_t)(last - text) + 1 : 0;
	}
	while ((n = record_end(text + end, len - end)))
		end += n;
	return end;
}

static uint64_t count_lines(const char *text, size_t len)
{
	const char *end = text + len;
	uint64_t lines = 0;

	while ((text = memchr(text, '\n', (size_t)(end - text)))) {
		lines++;
		text++;
	}
	return lines;
}

/*
 * Reads until there is a whole record: whoever writes line by line gets his answer line by line.
 * At the end of the input, and for a record larger than a piece (or a quote that never closes, of
 * which no row can come), it is all that there is.
 */
static int read_piece(struct run *run, char *text, size_t *ret_whole, size_t *ret_len)
{
	size_t len = run->rest_len, whole;
	int r;

	memcpy(text, run->rest, len);
	while (!(whole = whole_records(run, text, len)) && len < PIECE_SIZE && !run->eof) {
		r = read_more(run, text, &len);
		if (r)
			return r;
	}
	*ret_whole = whole ? whole : len;
	*ret_len = len;
	return 0;
}

/* What is behind the whole records waits for the next piece */
static void keep_rest(struct run *run, const char *text, size_t from, size_t len)
{
	run->rest_len = len - from;
	memcpy(run->rest, text + from, run->rest_len);
}

/* Fills a piece with whole records; an empty one means that the input has ended */
static int fill(struct run *run, struct piece *piece)
{
	size_t len, whole;
	int r;

	r = read_piece(run, piece->text, &whole, &len);
	if (r)
		return r;
	keep_rest(run, piece->text, whole, len);
	piece->rows.text = piece->text;
	piece->rows.len = whole;
	piece->rows.first_line = run->line;
	run->line += count_lines(piece->text, whole);
	return 0;
}

/* Reads what comes next. Returns 0, END_OF_INPUT, or an exit status. */
static int read_next(struct run *run, struct piece *piece)
{
	int r = 0;

	pthread_mutex_lock(&run->reading);
	if (!run->ended)
		r = fill(run, piece);
	run->ended |= r || !piece->rows.len;
	if (!run->ended)
		piece->number = run->count++;
	else if (!r)
		r = END_OF_INPUT;
	pthread_mutex_unlock(&run->reading);
	return r;
}

static int write_rejects(struct run *run, const struct rows *rows)
{
	int r;

	if (rows->rejects.len)
		progress_clear(&run->progress);
	r = output_write(&run->rejects, rows->rejects.text, rows->rejects.len);
	return r < 0 ? complain("the refused lines cannot be written: %s", strerror(-r)) : 0;
}

static int write_rows(struct run *run, const struct rows *rows)
{
	int r = output_write(&run->out, rows->out.text, rows->out.len);

	if (r < 0 && r != -EPIPE)
		return complain("the output cannot be written: %s", strerror(-r));
	return r ? r : write_rejects(run, rows);
}

static int write_piece(struct run *run, struct piece *piece)
{
	struct rows *rows = &piece->rows;
	int r;

	if (piece->error == -EIO)	/* whoever failed has said why */
		r = EXIT_NOTHING;
	else if (piece->error)
		r = complain("the rows cannot be worked on: %s", strerror(-piece->error));
	else
		r = write_rows(run, rows);
	progress_add(&run->progress, rows->len, rows->count);
	run->p->count += rows->count;
	run->refused += rows->refused;
	rows->count = rows->refused = 0;
	buffer_clear(&rows->out);
	buffer_clear(&rows->rejects);
	return r;
}

static int write_all(struct run *run)
{
	struct piece *piece;
	int r;

	while ((piece = pieces_turn(&run->pieces))) {
		r = write_piece(run, piece);
		if (r)
			return r;
		pieces_written(&run->pieces, piece);
	}
	return 0;
}

/* Returns 0, also if another thread has failed, END_OF_INPUT, or an exit status */
static int work_on(struct run *run, struct piece *piece, struct worker *worker)
{
	int r = read_next(run, piece);

	if (r)
		return r;
	piece->error = run->p->work->process(&run->p->settings, worker, &piece->rows);
	pieces_worked(&run->pieces, piece);
	return write_all(run);
}

static void *work(void *data)
{
	struct run *run = data;
	struct piece *piece;
	struct worker worker;
	int r;

	/* who fails says why */
	r = worker_init(&worker, &run->p->settings, run->p->keyring) ? EXIT_NOTHING : 0;
	while (!r && (piece = pieces_take(&run->pieces)))
		r = work_on(run, piece, &worker);
	if (r && r != END_OF_INPUT)
		pieces_fail(&run->pieces, r);
	worker_done(&worker);
	return NULL;
}

/* A thread that cannot be started is done without */
static int run_threads(struct run *run)
{
	pthread_t threads[PIPELINE_THREADS_MAX];
	unsigned int i, started = 0;

	for (i = 1; i < run->p->threads; i++)
		if (!pthread_create(&threads[started], NULL, work, run))
			started++;
	work(run);
	for (i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	return pieces_error(&run->pieces);
}

/* What the first bytes tell: the length of a byte order mark, or what no text of ours begins with */
static int judge_begin(const char *text, size_t len, size_t *ret_skip)
{
	size_t i = 0;

	if (len >= 2 && (!memcmp(text, "\xff\xfe", 2) || !memcmp(text, "\xfe\xff", 2)))
		return complain("the input is UTF-16; it has to be UTF-8");
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		i = 3;
	*ret_skip = i;
	while (i < len && strchr(" \t\r\n", text[i]) && text[i])
		i++;
	if (i < len && text[i] == '[')
		return complain("the input is a JSON array; it has to be one object a line, as jq -c '.[]' makes it");
	return 0;
}

static bool begins_object(const char *text, size_t len)
{
	size_t i = strspn(text, " \t\r\n");

	return i < len && text[i] == '{';
}

/* Length of the header line, 0 if there is none */
static size_t take_header(struct run *run, const char *text, size_t len)
{
	struct rows_settings *s = &run->p->settings;
	size_t head = record_end(text, len);
	struct record record;

	record_parse(&record, text, head ? head - 1 : len);
	if (!columns_from_header(&s->request.columns, &record))
		return 0;
	return head ? head : len;
}

/* How the input begins is taken off the first piece: it goes back to ->rest without it */
static int read_header(struct run *run)
{
	struct rows_settings *s = &run->p->settings;
	char *text = run->pieces.all[0].text;
	size_t len, whole, skip = 0;
	int r;

	r = read_piece(run, text, &whole, &len);
	if (!r)
		r = judge_begin(text, len, &skip);
	if (r)
		return r;
	text[len] = '\0';
	s->objects = begins_object(text + skip, len - skip);
	if (s->objects)
		columns_of_objects(&s->request.columns);
	else
		skip += take_header(run, text + skip, len - skip);
	run->line += count_lines(text, skip);
	keep_rest(run, text, skip, len);
	return 0;
}

static int open_all(struct run *run)
{
	struct pipeline *p = run->p;
	bool from_stdin = !p->input || !strcmp(p->input, "-");
	int r;

	run->in = from_stdin ? STDIN_FILENO : open(p->input, O_RDONLY | O_CLOEXEC);
	if (run->in < 0)
		return complain("%s: %s", p->input, strerror(errno));
	r = output_open(&run->out, p->output);
	if (r < 0)
		return complain("%s: %s", p->output, strerror(-r));
	r = output_open(&run->rejects, p->rejects);
	if (r < 0)
		return complain("%s: %s", p->rejects, strerror(-r));
	if (!p->rejects)
		run->rejects.fd = STDERR_FILENO;
	progress_start(&run->progress, run->in, run->out.fd);
	return 0;
}

static int make_room(struct run *run)
{
	run->rest = malloc(PIECE_SIZE);
	if (!run->rest || pieces_init(&run->pieces, run->p->threads) < 0)
		return complain("out of memory");
	return 0;
}

static int write_headers(struct run *run)
{
	const char *header = run->p->work->header(&run->p->settings);
	int r = 0;

	if (header)
		r = output_write(&run->out, header, strlen(header));
	if (!r && run->p->rejects)
		r = output_write(&run->rejects, "line,input,reason\n", 18);
	if (r < 0 && r != -EPIPE)
		complain("the output cannot be written: %s", strerror(-r));
	return r;
}

static int commit(struct run *run)
{
	int r = output_commit(&run->out);

	if (!r)
		r = output_commit(&run->rejects);
	return r < 0 ? complain("the output cannot be written: %s", strerror(-r)) : 0;
}

static void close_all(struct run *run)
{
	progress_clear(&run->progress);
	pieces_done(&run->pieces);
	free(run->rest);
	output_close(&run->out);
	output_close(&run->rejects);
	if (run->in > STDERR_FILENO)
		close(run->in);
}

/* Which of two lines is the first is known to whoever reads them in order */
static int look_for_duplicates(struct pipeline *p)
{
	if (p->duplicates == DUPLICATES_IGNORE)
		return 0;
	p->threads = 1;
	p->settings.request.refuse_duplicates = p->duplicates == DUPLICATES_REFUSE;
	p->settings.request.duplicates = duplicates_new();
	return p->settings.request.duplicates ? 0 : complain("out of memory");
}

int pipeline_run(struct pipeline *p)
{
	struct run run = {
		.p = p, .in = -1, .line = 1, .out.fd = -1, .rejects.fd = -1,
		.reading = PTHREAD_MUTEX_INITIALIZER,
	};
	int r;

	p->settings.rejects_as_csv = p->rejects;
	r = look_for_duplicates(p);
	if (!r)
		r = open_all(&run);
	if (!r)
		r = make_room(&run);
	if (!r)
		r = read_header(&run);
	if (!r)
		r = write_headers(&run);
	if (!r)
		r = run_threads(&run);
	if (!r)
		r = commit(&run);
	close_all(&run);
	p->settings.request.duplicates = duplicates_free(p->settings.request.duplicates);
	/* a reader that had enough, such as head, is no reason to complain */
	if (r == -EPIPE)
		return EXIT_SOME;
	return r ? EXIT_NOTHING : run.refused ? EXIT_SOME : EXIT_DONE;
}

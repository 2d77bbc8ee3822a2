// SPDX-License-Identifier: MIT
// Loss curves in the terminal. The vertical axis is logarithmic when the losses fall
// to less than a third, where a linear one would show a cliff and a flat line. The training loss is
// dotted and the validation loss is solid, so colours help but are not needed.

#include "clients/cli/cli.h"

#include "clients/cli/cli_canvas.h"
#include "clients/cli/cli_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL = 9, WIDEST = 120, TALLEST = 24, FRAME = 5, TICK_EVERY = 4 };

struct curve {
    double *v; // [n], NaN where there is no value
    int n;
};

struct plot {
    struct curve curve[CANVAS_LAYERS]; // train, validation
    double first, last;                // epochs
    double low, high;                  // of the axis, as its scale has them
    bool log;
};

static const char *const curve_key[CANVAS_LAYERS] = {"train_loss", "val_loss"};
static const char *const curve_name[CANVAS_LAYERS] = {"train", "val"};
static const char *const curve_colour[CANVAS_LAYERS] = {"36", "33"};
static const char curve_mark[CANVAS_LAYERS] = {'.', '*'};
static const int curve_gap[CANVAS_LAYERS] = {2, 1};

static struct curve read_curve(const cJSON *columns, const char *key)
{
    const cJSON *column = cJSON_GetObjectItemCaseSensitive(columns, key), *item;
    struct curve c = {calloc((size_t)cJSON_GetArraySize(column) + 1, sizeof(double)), 0};
    if (!c.v)
        abort();
    cJSON_ArrayForEach(item, column) c.v[c.n++] = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    return c;
}

static void find_range(struct plot *p)
{
    p->low = INFINITY;
    p->high = -INFINITY;
    for (int k = 0; k < CANVAS_LAYERS; k++)
        for (int i = 0; i < p->curve[k].n; i++) {
            p->low = fmin(p->low, p->curve[k].v[i]);
            p->high = fmax(p->high, p->curve[k].v[i]);
        }
    p->log = p->low > 0 && p->high / p->low > 3;
    if (p->log) {
        p->low = log10(p->low);
        p->high = log10(p->high);
    }
    double margin = p->high > p->low ? (p->high - p->low) / 50 : fabs(p->high) / 10 + 1e-12;
    p->low -= margin;
    p->high += margin;
}

static void plot_init(struct plot *p, const cJSON *columns)
{
    const cJSON *epoch = cJSON_GetObjectItemCaseSensitive(columns, "epoch");
    p->first = json_number_at(epoch, 0);
    p->last = json_number_at(epoch, cJSON_GetArraySize(epoch) - 1);
    for (int k = 0; k < CANVAS_LAYERS; k++)
        p->curve[k] = read_curve(columns, curve_key[k]);
    find_range(p);
}

static void plot_release(struct plot *p)
{
    for (int k = 0; k < CANVAS_LAYERS; k++)
        free(p->curve[k].v);
}

static int dot_x(const struct canvas *c, int i, int n)
{
    return n > 1 ? (int)lround((double)i / (n - 1) * (2 * c->width - 1)) : c->width;
}

static int dot_y(const struct plot *p, const struct canvas *c, double v)
{
    double at = p->log ? log10(v) : v;
    return (int)lround((p->high - at) / (p->high - p->low) * (4 * c->height - 1));
}

// From every value to the next one; a value without neighbours is a dot.
static void draw_curve(const struct plot *p, struct canvas *c, int k)
{
    const struct curve *u = &p->curve[k];
    for (int i = 0, from = 0; i < u->n; i++) {
        if (isnan(u->v[i]))
            continue;
        if (isnan(u->v[from]))
            from = i;
        canvas_line(c, k, dot_x(c, from, u->n), dot_y(p, c, u->v[from]), dot_x(c, i, u->n),
                    dot_y(p, c, u->v[i]), u->n > 1 ? curve_gap[k] : 1);
        from = i;
    }
}

static void print_legend(const struct plot *p, const struct term *t, const char *job)
{
    static const char *const sample[CANVAS_LAYERS] = {"⠢⠢⠢", "⠤⠤⠤"};
    char on[12], off[12];
    printf("%*sjob %s loss%s", LABEL + 2, "", job, p->log ? " (log)" : "");
    for (int k = 0; k < CANVAS_LAYERS; k++) {
        if (p->curve[k].n == 0)
            continue;
        printf("  %s", term_colour(t, curve_colour[k], on));
        if (t->unicode)
            fputs(sample[k], stdout);
        else
            printf("%c%c", curve_mark[k], curve_mark[k]);
        printf("%s %s %.4g", term_colour(t, "0", off), curve_name[k],
               p->curve[k].v[p->curve[k].n - 1]);
    }
    putchar('\n');
}

static void print_rows(const struct plot *p, const struct canvas *c, const struct term *t)
{
    for (int row = 0; row < c->height; row++) {
        bool tick = row % TICK_EVERY == 0 || row == c->height - 1;
        double at = p->high - (p->high - p->low) * (row + .5) / c->height;
        if (tick)
            printf("%*.4g %s", LABEL, p->log ? pow(10, at) : at, t->unicode ? "┤" : "+");
        else
            printf("%*s %s", LABEL, "", t->unicode ? "│" : "|");
        canvas_row(c, stdout, t, row, curve_colour, curve_mark);
        putchar('\n');
    }
}

// The epochs at the left, the middle and the right.
static void print_epochs(const struct plot *p, const struct canvas *c, const struct term *t)
{
    char mid[32] = "", right[32] = "";
    printf("%*s %s", LABEL, "", t->unicode ? "└" : "+");
    for (int i = 0; i < c->width; i++)
        fputs(t->unicode ? "─" : "-", stdout);
    if (p->last - p->first >= 4)
        snprintf(mid, sizeof mid, "%.0f", (p->first + p->last) / 2);
    if (p->last > p->first)
        snprintf(right, sizeof right, "%.0f", p->last);
    int half = c->width / 2;
    printf("\n%*s  %-*.0f%-*s%s\n", LABEL, "epoch", half, p->first,
           c->width - half - (int)strlen(right), mid, right);
}

static int plot_draw(struct cli *c, const cJSON *columns)
{
    const struct term *t = &c->term;
    int width = t->width < WIDEST ? t->width : WIDEST, height = t->height - FRAME;
    struct plot p;
    struct canvas canvas;
    plot_init(&p, columns);
    canvas_init(&canvas, width - LABEL - 3, height < TALLEST ? height : TALLEST);
    for (int k = 0; k < CANVAS_LAYERS; k++)
        draw_curve(&p, &canvas, k);
    print_legend(&p, t, c->args.word[1]);
    print_rows(&p, &canvas, t);
    print_epochs(&p, &canvas, t);
    canvas_release(&canvas);
    plot_release(&p);
    return CLI_OK;
}

int cmd_plot(struct cli *c)
{
    const char *job = c->args.word[1];
    if (!is_job(job))
        return CLI_USAGE;
    cJSON *reply =
        http_json(&c->http, &(struct request){.path = "/jobs/", .name = job, .rest = "/metrics"});
    const cJSON *columns = cJSON_GetObjectItemCaseSensitive(reply, "columns");
    int code = CLI_FAILED;
    if (cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(columns, "epoch")) > 0)
        code = plot_draw(c, columns);
    else if (reply)
        failure("job %s has not finished an epoch yet", job);
    cJSON_Delete(reply);
    return code;
}

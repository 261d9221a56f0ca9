#include "rest_error.h"

#include "rest_constraint.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

/* SQLSTATEs, or classes of two characters, with what they mean; the first that fits counts. */
static const struct {
    const char *sqlstate;
    int status;
    const char *code;
    const char *detail;
} meanings[] = {
    { "22P02", 400, "VALIDATION_ERROR", "The value is malformed." },
    { "22003", 400, "VALIDATION_ERROR", "The value is out of range." },
    { "22007", 400, "VALIDATION_ERROR", "The date or time is malformed." },
    { "22008", 400, "VALIDATION_ERROR", "The date or time is out of range." },
    { "22001", 400, "VALIDATION_ERROR", "The text is too long." },
    { "22021", 400, "VALIDATION_ERROR", "The text is not valid UTF-8." },
    { "22P05", 400, "VALIDATION_ERROR", "The text holds a character that cannot be stored." },
    { "2201B", 400, "VALIDATION_ERROR", "The regular expression is malformed." },
    { "22", 400, "VALIDATION_ERROR", "The value is not valid." },
    { "23502", 400, "REQUIRED_FIELD_MISSING", "The field is required." },
    { "23503", 409, "CONFLICT", "The change contradicts another record." },
    { "23505", 409, "ALREADY_EXISTS", "A record with this value exists already." },
    { "23P01", 409, "CONFLICT", "The change contradicts another record." },
    { "23514", 400, "VALIDATION_ERROR", "The value breaks a rule of this resource." },
    { "23", 409, "CONFLICT", "The change contradicts another record." },
    { "44000", 400, "VALIDATION_ERROR", "The value breaks a rule of this resource." },
    { "428C9", 400, "VALIDATION_ERROR", "The field is set by the server." },
    { "54", 400, "VALIDATION_ERROR", "The value is too large." },
    { "25006", 405, "METHOD_NOT_ALLOWED", "This method cannot change anything." },
    { "40", 409, "CONFLICT", "Another request changed the same records; repeat this one." },
    { "55P03", 409, "CONFLICT", "Another request holds the same records; repeat this one." },
    { "53", 503, "SERVICE_UNAVAILABLE", NULL },
    { "57014", 503, "SERVICE_UNAVAILABLE", "The request took too long." },
    { "57P0", 503, "SERVICE_UNAVAILABLE", NULL },
};

/*
 * Which parameter could not be read: the number behind "unnamed portal parameter $" in a line of the context; servers
 * that speak another language end the context in it, without the quotes in which they put names and statements. 0: none.
 */
static int parameter_of(const trestle_pg_error_t *error)
{
    static const char words[] = "unnamed portal parameter $";
    const char *last = NULL, *dollar;

    for (const char *line = error->context; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (!strncmp(line, words, sizeof(words) - 1))
            return atoi(line + sizeof(words) - 1);
        last = line;
    }
    dollar = last && !strchr(last, '"') ? strrchr(last, '$') : NULL;
    return dollar && dollar[1] && !dollar[1 + strspn(dollar + 1, "0123456789")] ? atoi(dollar + 1) : 0;
}

/* The column of "Key (name)=(value) …"; NULL for several columns or an expression. */
static const char *key_column(apr_pool_t *pool, const trestle_pg_error_t *error)
{
    const char *open = error->detail ? strchr(error->detail, '(') : NULL;
    size_t n;

    if (!open)
        return NULL;
    n = strspn(open + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    return n > 0 && open[n + 1] == ')' ? apr_pstrmemdup(pool, open + 1, n) : NULL;
}

static int is_code(const char *text)
{
    size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

    return n > 0 && !text[n];
}

static const char *not_empty(const char *text)
{
    return text && *text ? text : NULL;
}

/* RAISE … ERRCODE 'PTnnn': the application's own refusal. */
static int translate_raised(apr_pool_t *pool, const trestle_pg_error_t *error, rest_fault_t *fault)
{
    const char *digits = error->sqlstate + 2;
    int status = atoi(digits);

    if (strncmp(error->sqlstate, "PT", 2) || strspn(digits, "0123456789") != 3 || status < 400 || status > 599)
        return 0;
    *fault = (rest_fault_t){ status, NULL, not_empty(error->detail), not_empty(error->hint), NULL, 1, NULL };
    if (error->message && is_code(error->message))
        fault->code = error->message;
    else if (!fault->detail)
        fault->detail = error->message;
    if (status >= 500)
        fault->cause = apr_psprintf(pool, "the application refused with %s: %s", error->sqlstate,
                                    error->message ? error->message : "");
    return 1;
}

/* 1 if the caller may know that there is the column. */
static int may_know(const rest_attempt_t *attempt, const rest_column_t *column)
{
    return rest_role_in(column->may[REST_MAY_SELECT], attempt->role)
           || rest_role_in(column->may[REST_MAY_INSERT], attempt->role)
           || rest_role_in(column->may[REST_MAY_UPDATE], attempt->role);
}

/* What the relation calls the column of a table: a view may show it under another name. */
static const char *name_in_relation(const rest_attempt_t *attempt, const char *name)
{
    const apr_array_header_t *columns = attempt->relation->columns;

    for (int i = 0; i < columns->nelts; i++) {
        const rest_column_t *column = APR_ARRAY_IDX(columns, i, const rest_column_t *);

        if (!strcmp(column->origin ? column->origin->name : column->name, name) && may_know(attempt, column))
            return column->name;
    }
    return NULL;
}

/* The name, if it is the request's or one of the function's arguments. */
static const char *name_in_call(const rest_attempt_t *attempt, const char *name)
{
    for (int i = 0; attempt->given && i < attempt->given->nelts; i++)
        if (!strcmp(APR_ARRAY_IDX(attempt->given, i, rest_given_t).name, name))
            return name;
    for (int i = 0; attempt->function && i < attempt->function->arguments->nelts; i++) {
        const char *own = APR_ARRAY_IDX(attempt->function->arguments, i, rest_argument_t).name;

        if (own && !strcmp(own, name))
            return name;
    }
    return NULL;
}

/* Names a field that is known; a further one in errors. */
static void name_field(apr_pool_t *pool, const rest_attempt_t *attempt, const char *column, rest_fault_t *fault)
{
    rest_fault_t also = *fault;

    if (!column)
        return;
    also.field = attempt->relation ? name_in_relation(attempt, column) : name_in_call(attempt, column);
    if (!also.field)
        return;
    if (fault->field)
        rest_fault_add(pool, fault, &also);
    else
        fault->field = also.field;
}

/* The fields that a broken constraint is about. */
static void name_columns(apr_pool_t *pool, const trestle_pg_error_t *error, const rest_attempt_t *attempt,
                         rest_fault_t *fault)
{
    const apr_array_header_t *columns =
        rest_constraint_columns(attempt->constraints, pool, error->schema, error->table, error->constraint);

    for (int i = 0; columns && i < columns->nelts; i++)
        name_field(pool, attempt, APR_ARRAY_IDX(columns, i, const char *), fault);
    if (!fault->field)
        name_field(pool, attempt, error->column ? error->column : key_column(pool, error), fault);
}

static void translate_meaning(apr_pool_t *pool, const trestle_pg_error_t *error, const rest_attempt_t *attempt,
                              unsigned i, rest_fault_t *fault)
{
    const rest_statement_t *statement = attempt->statement;
    int parameter = parameter_of(error);

    rest_refuse(fault, meanings[i].status, meanings[i].code, meanings[i].detail, NULL);
    if (parameter >= 1 && parameter <= statement->nparams) {
        fault->field = statement->fields[parameter - 1];
        if (statement->in_path[parameter - 1])
            rest_refuse(fault, 404, "NOT_FOUND", NULL, NULL);
    } else if (error->constraint || error->column || !strncmp(error->sqlstate, "23", 2)) {
        name_columns(pool, error, attempt, fault);
    } else if (!strcmp(error->sqlstate, "2201B")) {
        fault->field = statement->pattern;
    } else if (!strncmp(error->sqlstate, "22", 2) && !error->context && statement->nrows == 1) {
        fault->field = statement->row;
    }
}

void rest_error_translate(apr_pool_t *pool, const trestle_pg_error_t *error, const rest_attempt_t *attempt,
                          rest_fault_t *fault)
{
    const char *sqlstate = error->sqlstate;

    if (error->statement < 0) {
        rest_blame(fault,
                   apr_psprintf(pool,
                                "the transaction's role or settings were refused (%s: %s); grant the role to the "
                                "pool's login role",
                                sqlstate, error->message ? error->message : ""));
        return;
    }
    if (translate_raised(pool, error, fault))
        return;
    if (!strcmp(sqlstate, "42501")) {
        if (attempt->anonymous)
            rest_refuse(fault, 401, "AUTHENTICATION_REQUIRED", "Sign in to do this.", NULL);
        else
            rest_refuse(fault, 403, "PERMISSION_DENIED", "You may not do this.", NULL);
        return;
    }
    if (!strcmp(sqlstate, "P0001")) {
        rest_refuse(fault, 400, "VALIDATION_ERROR", error->message, not_empty(error->column));
        fault->verbatim = 1;
        return;
    }
    for (unsigned i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
        if (!strncmp(sqlstate, meanings[i].sqlstate, strlen(meanings[i].sqlstate))) {
            translate_meaning(pool, error, attempt, i, fault);
            return;
        }
    rest_blame(fault, apr_psprintf(pool, "the statement was refused (%s: %s)", sqlstate,
                                   error->message ? error->message : ""));
}

int rest_error_is_stale(const trestle_pg_error_t *error)
{
    static const char *const states[] = { "42P01", "42883", "42703", "42704", "3F000", "42725", "42804" };

    for (unsigned i = 0; error->statement >= 0 && !error->context && i < sizeof(states) / sizeof(states[0]); i++)
        if (!strcmp(error->sqlstate, states[i]))
            return 1;
    return 0;
}

/*
 * Column and argument types, as far as requests care: which texts and JSON values fit them.
 */
#ifndef REST_TYPE_H
#define REST_TYPE_H

/* A domain has the kind of its base type. */
typedef enum {
    REST_OTHER, /* times, enumerations, ranges, …: any text, judged by the database */
    REST_BOOLEAN,
    REST_INT2,
    REST_INT4,
    REST_INT8,
    REST_NUMBER, /* numeric, real, double precision */
    REST_TEXT,
    REST_UUID,
    REST_JSON, /* json and jsonb */
    REST_ARRAY,
    REST_VOID,
    REST_ROW, /* composite types and record */
    REST_DATE,
    REST_TIMESTAMP /* with and without time zone */
} rest_kind_e;

/* Part of a catalogue, and as immutable. */
typedef struct rest_type_t {
    const char *name;                  /* without schema, for messages and documents: "int8" */
    const char *quoted;                /* for casts: "pg_catalog"."int8" with its quotes */
    rest_kind_e kind;                  /* judged on the base type of a domain */
    const struct rest_type_t *element; /* of an array; NULL otherwise */
    int is_comparable;                 /* its values can be told apart and put into an order */
} rest_type_t;

/* The kind of a type of schema pg_catalog by its name; REST_OTHER for those without special rules. */
rest_kind_e rest_kind_of(const char *name);

/*
 * 1 if the text can be a value of the type: integers within range, numbers, UUIDs, booleans, JSON are judged here; the
 * rest by the database.
 */
int rest_type_accepts(const rest_type_t *type, const char *text);

/* What a value should be, as words for a client: "a whole number from -32768 to 32767". */
const char *rest_type_wish(const rest_type_t *type);

#endif

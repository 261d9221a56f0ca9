/* Rules for claims, and what a caller's claims make of him. */
#include "auth_jwt_tokens.h"

#include "auth_jwt/jwt_caller.h"
#include "auth_jwt/jwt_claims.h"

#define NOW 1800000000

static jwt_rules_t rules;

static void forget_rules(void)
{
    memset(&rules, 0, sizeof(rules));
    rules.leeway = apr_time_from_sec(30);
}

static const char *reason(const char *text)
{
    const jwt_json_t *claims = jwt_json_object(pool, text, strlen(text));

    return claims ? jwt_claims_check(claims, &rules, apr_time_from_sec(NOW)) : "not parsed";
}

#define GOOD(text) assert_null(reason(text))
#define BAD(text)  assert_non_null(reason(text))

static void expiry_is_demanded(void **state)
{
    (void)state;
    forget_rules();
    GOOD("{\"sub\":\"1\",\"exp\":1800000001}");
    GOOD("{\"sub\":\"1\",\"exp\":1800000000.5}");
    GOOD("{\"sub\":\"1\",\"exp\":1.9e9}");
    GOOD("{\"sub\":\"1\",\"exp\":1799999971}"); /* within the leeway of 30 s */
    BAD("{\"sub\":\"1\",\"exp\":1799999970}");
    BAD("{\"sub\":\"1\"}");
    BAD("{\"sub\":\"1\",\"exp\":null}");
    BAD("{\"sub\":\"1\",\"exp\":\"1900000000\"}");
    BAD("{\"sub\":\"1\",\"exp\":[1900000000]}");
    BAD("{\"sub\":\"1\",\"exp\":true}");
    BAD("{\"sub\":\"1\",\"exp\":-1}");
    BAD("{\"sub\":\"1\",\"exp\":0}");
    BAD("{\"sub\":\"1\",\"exp\":1e300}");
    BAD("{\"sub\":\"1\",\"exp\":9223372036854775807}");
    BAD("{\"sub\":\"1\",\"exp\":-1e300}");
}

static void other_times_are_checked_where_they_are(void **state)
{
    (void)state;
    forget_rules();
    GOOD("{\"sub\":\"1\",\"exp\":1900000000,\"nbf\":1800000030,\"iat\":1800000030}");
    BAD("{\"sub\":\"1\",\"exp\":1900000000,\"nbf\":1800000031}");
    BAD("{\"sub\":\"1\",\"exp\":1900000000,\"nbf\":\"1\"}");
    BAD("{\"sub\":\"1\",\"exp\":1900000000,\"nbf\":1e300}");
    BAD("{\"sub\":\"1\",\"exp\":1900000000,\"iat\":1800000031}");
    BAD("{\"sub\":\"1\",\"exp\":1900000000,\"iat\":null}");
    rules.lifetime = apr_time_from_sec(60);
    GOOD("{\"sub\":\"1\",\"exp\":1800000050,\"iat\":1799999990}");
    BAD("{\"sub\":\"1\",\"exp\":1800000051,\"iat\":1799999990}");
    BAD("{\"sub\":\"1\",\"exp\":1800000050}");
}

static void issuer_and_type_are_compared_whole(void **state)
{
    apr_array_header_t *types = apr_array_make(pool, 2, sizeof(const char *));

    (void)state;
    forget_rules();
    APR_ARRAY_PUSH(types, const char *) = "session";
    APR_ARRAY_PUSH(types, const char *) = "access";
    rules.issuer = "https://a.example";
    GOOD("{\"sub\":\"1\",\"exp\":1900000000,\"iss\":\"https://a.example\"}");
    BAD("{\"sub\":\"1\",\"exp\":1900000000,\"iss\":\"https://a.example/\"}");
    BAD("{\"sub\":\"1\",\"exp\":1900000000,\"iss\":\"https://A.example\"}");
    BAD("{\"sub\":\"1\",\"exp\":1900000000,\"iss\":[\"https://a.example\"]}");
    BAD("{\"sub\":\"1\",\"exp\":1900000000}");
    rules.issuer = NULL;
    rules.types = types;
    GOOD("{\"sub\":\"1\",\"exp\":1900000000,\"token_type\":\"session\"}");
    GOOD("{\"sub\":\"1\",\"exp\":1900000000,\"token_type\":\"access\"}");
    BAD("{\"sub\":\"1\",\"exp\":1900000000,\"token_type\":\"refresh\"}");
    BAD("{\"sub\":\"1\",\"exp\":1900000000,\"token_type\":1}");
    BAD("{\"sub\":\"1\",\"exp\":1900000000}");
}

static void audience_is_one_or_several(void **state)
{
    (void)state;
    forget_rules();
    rules.audience = "shop";
    GOOD("{\"sub\":\"1\",\"exp\":1900000000,\"aud\":\"shop\"}");
    GOOD("{\"sub\":\"1\",\"exp\":1900000000,\"aud\":[\"other\",\"shop\"]}");
    BAD("{\"sub\":\"1\",\"exp\":1900000000,\"aud\":\"shop2\"}");
    BAD("{\"sub\":\"1\",\"exp\":1900000000,\"aud\":[]}");
    BAD("{\"sub\":\"1\",\"exp\":1900000000,\"aud\":[\"shop\",1]}");
    BAD("{\"sub\":\"1\",\"exp\":1900000000,\"aud\":{\"shop\":\"shop\"}}");
    BAD("{\"sub\":\"1\",\"exp\":1900000000,\"aud\":\"SHOP\"}");
    BAD("{\"sub\":\"1\",\"exp\":1900000000}");
    rules.audience = NULL; /* RFC 7519 section 4.1.3: who does not know himself in aud must refuse */
    BAD("{\"sub\":\"1\",\"exp\":1900000000,\"aud\":\"shop\"}");
    GOOD("{\"sub\":\"1\",\"exp\":1900000000}");
}

static void subjects_are_usable_names(void **state)
{
    char *name = apr_pcalloc(pool, 257);

    (void)state;
    forget_rules();
    GOOD("{\"sub\":\"\xED\x95\x9C\",\"exp\":1900000000}");
    BAD("{\"exp\":1900000000}");
    BAD("{\"sub\":\"\",\"exp\":1900000000}");
    BAD("{\"sub\":1,\"exp\":1900000000}");
    BAD("{\"sub\":\"a\\r\\nX-Evil: 1\",\"exp\":1900000000}");
    BAD("{\"sub\":\"a\\u007f\",\"exp\":1900000000}");
    memset(name, 'a', 255);
    GOOD(apr_psprintf(pool, "{\"sub\":\"%s\",\"exp\":1900000000}", name));
    name[255] = 'a';
    BAD(apr_psprintf(pool, "{\"sub\":\"%s\",\"exp\":1900000000}", name));
}

static const trestle_caller_t *caller(const char *text, const jwt_mapping_t *mapping)
{
    return jwt_caller_make(pool, jwt_json_object(pool, text, strlen(text)), text, mapping, "bearer");
}

static void access_tokens_are_whole(void **state)
{
    static const struct {
        const char *text;
        int ok;
    } cases[] = {
        { "{\"iat\":1,\"jti\":\"a\",\"client_id\":\"c\"}", 1 },
        { "{\"jti\":\"a\",\"client_id\":\"c\"}", 0 },
        { "{\"iat\":1,\"client_id\":\"c\"}", 0 },
        { "{\"iat\":1,\"jti\":\"a\"}", 0 },
        { "{\"iat\":1,\"jti\":1,\"client_id\":\"c\"}", 0 },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(jwt_claims_check_access(jwt_json_object(pool, cases[i].text, strlen(cases[i].text))) == NULL,
                         cases[i].ok);
}

static jwt_path_t path_of(const char *text)
{
    jwt_path_t path;

    assert_null(jwt_path_parse(pool, text, &path));
    return path;
}

static void roles_count_only_if_allowed(void **state)
{
    apr_array_header_t *allowed = apr_array_make(pool, 1, sizeof(const char *));
    const jwt_path_t role = path_of("role"), roles = path_of("roles"), nested = path_of("/realm_access/roles");
    const jwt_mapping_t mapping = { "shop_user", &role, allowed, &roles };
    const jwt_mapping_t realm = { "shop_user", NULL, NULL, &nested };
    const jwt_mapping_t closed = { "shop_user", NULL, allowed, NULL }, none = { NULL, NULL, NULL, NULL };
    const trestle_caller_t *made;

    (void)state;
    APR_ARRAY_PUSH(allowed, const char *) = "shop_admin";
    assert_string_equal(caller("{\"sub\":\"1\",\"role\":\"shop_admin\"}", &mapping)->role, "shop_admin");
    assert_string_equal(caller("{\"sub\":\"1\",\"role\":\"postgres\"}", &mapping)->role, "shop_user");
    assert_string_equal(caller("{\"sub\":\"1\",\"role\":[\"shop_admin\"]}", &mapping)->role, "shop_user");
    assert_string_equal(caller("{\"sub\":\"1\"}", &mapping)->role, "shop_user");
    assert_string_equal(caller("{\"sub\":\"1\",\"role\":\"shop_admin\"}", &closed)->role, "shop_user");
    assert_string_equal(caller("{\"sub\":\"1\",\"role\":\"shop_admin\"}", &none)->role, "");

    made = caller("{\"sub\":\"1\",\"sid\":\"s\",\"roles\":[\"editor\",7,\"author\"]}", &mapping);
    assert_int_equal(made->roles->nelts, 2);
    assert_true(jwt_caller_has_role(made, "author"));
    assert_false(jwt_caller_has_role(made, "auth"));
    assert_string_equal(made->session, "s");
    assert_true(jwt_caller_has_role(caller("{\"sub\":\"1\",\"roles\":\"editor\"}", &mapping), "editor"));
    assert_int_equal(caller("{\"sub\":\"1\",\"roles\":\"editor\"}", &closed)->roles->nelts, 0);

    made = caller("{\"sub\":\"1\",\"roles\":[\"x\"],\"realm_access\":{\"roles\":[\"editor\"]}}", &realm);
    assert_true(jwt_caller_has_role(made, "editor"));
    assert_false(jwt_caller_has_role(made, "x"));

    made = jwt_caller_anonymous(pool, "shop_anonymous");
    assert_null(made->subject);
    assert_string_equal(made->claims, "{}");
    assert_string_equal(made->role, "shop_anonymous");
    assert_int_equal(made->roles->nelts, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expiry_is_demanded),
        cmocka_unit_test(other_times_are_checked_where_they_are),
        cmocka_unit_test(issuer_and_type_are_compared_whole),
        cmocka_unit_test(audience_is_one_or_several),
        cmocka_unit_test(subjects_are_usable_names),
        cmocka_unit_test(access_tokens_are_whole),
        cmocka_unit_test(roles_count_only_if_allowed),
    };

    return cmocka_run_group_tests_name("auth_jwt claims", tests, setup, teardown);
}

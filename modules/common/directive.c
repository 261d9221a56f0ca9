#include "directive.h"

#include "setting.h"

#include <apr_strings.h>
#include <string.h>

static void *member(void *dir, apr_size_t offset)
{
    return (char *)dir + offset;
}

/* httpd puts the file and line before a message, but not the directive's name. */
static const char *named(cmd_parms *cmd, const char *mistake)
{
    return mistake ? apr_pstrcat(cmd->pool, cmd->cmd->name, ": ", mistake, NULL) : NULL;
}

const char *trestle_set_number(cmd_parms *cmd, void *dir, const char *arg)
{
    const trestle_range_t *range = cmd->info;

    return named(cmd, trestle_setting_number(cmd->pool, arg, range->least, range->most, member(dir, range->offset)));
}

const char *trestle_set_size(cmd_parms *cmd, void *dir, const char *arg)
{
    const trestle_range_t *range = cmd->info;

    return named(cmd, trestle_setting_size(cmd->pool, arg, range->least, range->most, member(dir, range->offset)));
}

const char *trestle_set_duration(cmd_parms *cmd, void *dir, const char *arg)
{
    const trestle_range_t *range = cmd->info;

    return named(cmd, trestle_setting_duration(cmd->pool, arg, range->least, range->most, member(dir, range->offset)));
}

const char *trestle_set_word(cmd_parms *cmd, void *dir, const char *arg)
{
    const trestle_words_t *choice = cmd->info;
    const char *all = "";

    for (int i = 0; choice->words[i]; i++) {
        if (!strcmp(arg, choice->words[i])) {
            *(int *)member(dir, choice->offset) = choice->values ? choice->values[i] : i;
            return NULL;
        }
        all = apr_pstrcat(cmd->pool, all, i == 0 ? "" : choice->words[i + 1] ? ", " : " or ", choice->words[i], NULL);
    }
    return apr_psprintf(cmd->pool, "%s: '%s' is none of its words; write %s", cmd->cmd->name, arg, all);
}

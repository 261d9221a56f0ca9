/*
 * Runs a fuzz target once over each file of the directories and files named on the command line: the kept corpus, as a
 * regression test. libFuzzer brings its own main.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(size ? size : 1);
    int ok = file && data && fread(data, 1, size, file) == size;

    if (ok)
        LLVMFuzzerTestOneInput(data, size);
    else
        fprintf(stderr, "cannot read %s\n", path);
    free(data);
    if (file)
        fclose(file);
    return ok ? 1 : -1;
}

/* The number of inputs run, -1 on an unreadable one. */
static int replay(const char *path)
{
    struct stat info;
    struct dirent *entry;
    DIR *directory;
    int count = 0;

    if (stat(path, &info) != 0)
        return -1;
    if (!S_ISDIR(info.st_mode))
        return replay_file(path, (size_t)info.st_size);
    if (!(directory = opendir(path)))
        return -1;
    while (count >= 0 && (entry = readdir(directory))) {
        char inner[4096];
        int n;

        if (entry->d_name[0] == '.')
            continue;
        snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
        n = replay(inner);
        count = n < 0 ? -1 : count + n;
    }
    closedir(directory);
    return count;
}

int main(int argc, char **argv)
{
    int total = 0;

    for (int i = 1; i < argc; i++) {
        int n = replay(argv[i]);

        if (n < 0)
            return 1;
        total += n;
    }
    printf("%d inputs\n", total);
    return total > 0 ? 0 : 1;
}

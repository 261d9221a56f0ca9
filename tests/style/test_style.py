"""Promises that the whole tree keeps: format, unique log tags, documented directives, no stray words."""
import collections
import os
import re
import subprocess

import pytest

from harness import ROOT, Httpd, scratch
from harness.httpd import OURS

FILES = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
C_FILES = [f for f in FILES if f.endswith((".c", ".h")) and (ROOT / f).exists()]
DOCS = sorted((ROOT / "docs").glob("*.md"))
DIRECTIVE = re.compile(r"^### (\S+)\n(.*?)(?=^#{1,3} |\Z)", re.M | re.S)


def documented():
    """(file, directive, text of its section) of every section that has a Syntax line."""
    return [(path.name, name, text) for path in DOCS for name, text in DIRECTIVE.findall(path.read_text())
            if re.search(r"^Syntax: ", text, re.M)]


def test_c_is_formatted():
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", *C_FILES], cwd=ROOT, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def test_log_tags_are_unique():
    places = collections.defaultdict(list)
    for name in C_FILES:
        if name.startswith(("modules/", "companion/")):
            for tag in re.findall(r'"(TRS[A-Z]{2}\d+):', (ROOT / name).read_text()):
                places[tag].append(name)
    assert places
    assert {t: p for t, p in places.items() if len(p) > 1} == {}


def test_every_code_of_a_problem_has_texts():
    """A code is told in every language of mod_problem only if its table has it."""
    texts = (ROOT / "modules" / "problem" / "problem_texts.c").read_text()
    codes = {code: name for name in C_FILES if name.startswith("modules/") and (ROOT / name).exists()
             for code in re.findall(r'"([A-Z]+(?:_[A-Z]+)+)",\s*(?:"[A-Z]|NULL|apr_psprintf)', (ROOT / name).read_text())}
    assert len(codes) > 5
    assert {code: name for code, name in codes.items() if f'"{code}"' not in texts} == {}, \
        "add the code with its English and Korean sentence to problem_texts.c"
    told = collections.Counter(re.findall(r'\{ \d+,\s+"([A-Z_]+)",', texts))
    assert len(told) > len(codes) and [code for code, n in told.items() if n > 1] == []


def without_numbers(name):
    """C text with its strings in one piece, and # wherever one holds a number."""
    source = (ROOT / name).read_text().replace('%" APR_INT64_T_FMT "', "#")
    return re.sub(r"%d|\d+", "#", re.sub(r'"\s*\n\s*"', "", source))


def test_every_sentence_of_a_problem_is_known_in_all_languages():
    known = without_numbers("modules/problem/problem_sentences.c")
    said = {sentence: name for name in C_FILES if re.match(r"modules/(auth_jwt|identity|rest)/", name) and (ROOT / name).exists()
            for sentence in re.findall(r'"([A-Z][a-z][^"\\%]*\.)"', without_numbers(name))}
    assert len(said) > 20
    assert {sentence: name for sentence, name in said.items() if f'"{sentence}"' not in known} == {}, \
        "add the sentence in English and Korean to problem_sentences.c"


def test_texts_for_the_log_are_left_as_they_are():
    """httpd escapes what it logs; escaped before, each quote would stand behind two backslashes."""
    assert [name for name in C_FILES if name.startswith("modules/") and (ROOT / name).exists()
            and "ap_escape_logitem" in (ROOT / name).read_text()] == []


def test_no_unfinished_words():
    words = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b")
    found = [f"{name}: {line}" for name in FILES if name.endswith((".c", ".h", ".sql", ".py", ".js", ".conf", ".md"))
             and (ROOT / name).exists() for line in (ROOT / name).read_text().splitlines() if words.search(line)]
    assert found == []


def test_files_stay_readable():
    long = {name: n for name in FILES if name.endswith((".c", ".h", ".py")) and (ROOT / name).exists()
            and (n := len((ROOT / name).read_text().splitlines())) > 800}
    assert long == {}


@pytest.fixture(scope="module")
def directives():
    """{directive: module} as httpd itself lists them."""
    server = Httpd("")
    server.write()
    done = subprocess.run(server._command("-L"), capture_output=True, text=True, check=True, env=server._environment())
    ours = {f"mod_{m}.c" for m in OURS}
    return {name: module for name, module in re.findall(r"^(\S+) \((mod_\w+\.c)\)", done.stdout, re.M) if module in ours}


def test_every_directive_is_documented_and_exists(directives):
    names = [name for _, name, _ in documented()]
    assert sorted(set(directives) - {f"<{n}" if f"<{n}" in directives else n for n in (x.strip("<>") for x in names)}) == []
    assert [n for n, count in collections.Counter(names).items() if count > 1] == []
    known = {d.strip("<>") for d in directives}
    assert sorted(n for n in names if n.strip("<>") not in known) == []


@pytest.mark.parametrize("page,name,text", documented(), ids=lambda v: v if isinstance(v, str) and len(v) < 40 else "")
def test_the_page_of_a_directive_is_whole_and_its_example_loads(page, name, text):
    for line in ("Syntax: ", "Default: ", "Context: "):
        assert re.search(f"^{line}", text, re.M), f"{page}: {name} has no line '{line}'"
    examples = re.findall(r"^```apache\n(.*?)^```", text, re.M | re.S)
    assert examples, f"{page}: {name} has no example"
    for example in examples:
        assert name.strip("<>") in example, f"{page}: the example does not use {name}"
        server = Httpd(f"Define TRESTLE_VAR {example_files()}\n{example}", modules=("ssl", "socache_shmcb", "macro", "proxy"))
        code, output = server.configtest()
        assert code == 0, f"{page}: {name}: {output}"


def example_files(made=[]):
    """A directory with the files that examples name, made once."""
    if not made:
        path = scratch("docs")
        key = subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout"], capture_output=True,
                             check=True).stdout
        keys = b'{"keys":[{"kty":"oct","kid":"1","alg":"HS256","k":"%s"}]}' % (b"Qm9" * 28)
        for name, content in (("secret", b"Qm9" * 28), ("password", b"a-password\n"), ("es256.pem", key), ("keys.jwks", keys)):
            file = path / name
            file.write_bytes(content)
            file.chmod(0o600)
            if os.geteuid() == 0:
                from harness import SERVER_USER
                import shutil
                shutil.chown(file, SERVER_USER, SERVER_USER)
        made.append(path)
    return made[0]

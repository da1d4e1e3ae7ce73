#!/usr/bin/env bash
# Finds retired words in tracked *.rs and *.md files: scripts/check_words.sh [FILE ..]
# The glossary of ARCHITECTURE.md has what to write instead. Only the glossary itself, and sections `## History` of
# docs/decisions, may contain them.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v perl >/dev/null || { echo "skipped: perl is not installed"; exit 0; }

if [ $# -eq 0 ]; then
    mapfile -t files < <(git ls-files '*.rs' '*.md')
    set -- "${files[@]}"
fi

perl -e '
    # White space in a phrase also matches a line break, with the markers of a comment after it.
    my $gap = qr{(?:[ \t]|\n[ \t]*(?://[/!]?)?[ \t]*)+};
    my @words = map { s/ /$gap/gr } (
        q(\bstations?\b), q(\bway back\b), q(\blearnt by heart\b), q(\bnobody\b), q(\bwhat it makes of\b),
        q(\bstands? (?:one )?behind\b), q(\b(?:is|are) told\b), q(\btells of\b), q(\bturned around\b),
        q(\bstretch(?:es)?\b), q(\bno multiple of\b), q(\basks? for rows\b), q((?<!")\bdeviations?\b),
    );
    my $found = 0;
    for my $file (@ARGV) {
        open my $in, "<", $file or next;    # deleted, and not committed yet
        local $/;
        my $text = <$in>;
        # Blank what may contain them, so that line numbers stay.
        my $blank = sub { $_[0] =~ s/[^\n]//gr };
        $text =~ s/^(## Glossary\n.*?)(?=^## |\z)/$blank->($1)/gmse if $file eq "ARCHITECTURE.md";
        $text =~ s/^(## History\n.*?)(?=^## |\z)/$blank->($1)/gmse if $file =~ m{^docs/decisions/};
        $text =~ s/(\bstandard${gap})(deviations?)/$1 . "x" x length $2/gie;
        for my $word (@words) {
            while ($text =~ /$word/gi) {
                my ($start, $hit) = ($-[0], $&);
                my $line = 1 + (substr($text, 0, $start) =~ tr/\n//);
                print "$file:$line: ", $hit =~ s/\s+/ /gr, "\n";
                $found++;
            }
        }
    }
    print "$found retired words: see the glossary of ARCHITECTURE.md\n" if $found;
    exit($found ? 1 : 0);
' "$@"

#!/bin/bash
# SPDX-License-Identifier: MIT
# sizes.sh: prints how large things are: the structs with the most members, the longest files and functions, the fullest
# folders, the length of the median function. tests/lint/sizes.sh holds the limits.
set -eu
cd "$(dirname "$0")/.."
export LC_ALL=C
top=${1:-5}

sources()
{
	find daemon plugins -name '*.[ch]' | sort
}

# members: "COUNT of ALL FILE: struct NAME". A struct inside is one member of COUNT; ALL has its members instead.
members()
{
	sources | xargs awk '
		FNR == 1 { inside = comment = 0 }
		/^(typedef )?struct [a-z_]* ?\{/ {
			name = $2
			# Names that are private to one file may stand in several.
			id = FILENAME ": struct " name
			if (!(name in place) || FILENAME ~ /\.h$/) place[name] = id
			names[id] = name; count[id] = 0; depth = parens = 0; inside = 1; text = ""
			next
		}
		inside && /^\}/ { inside = 0 }
		inside {
			line = $0
			if (comment) { if (line !~ /\*\//) next; sub(/^.*\*\//, "", line); comment = 0 }
			gsub(/\/\*[^*]*(\*+[^*\/][^*]*)*\*+\//, "", line)
			if (line ~ /\/\*/) { comment = 1; sub(/\/\*.*/, "", line) }
			for (k = 1; k <= length(line); k++) {
				c = substr(line, k, 1)
				# A list of parameters may go on in the next line.
				if (c == "(") { parens++; continue }
				if (c == ")") { parens--; continue }
				if (parens > 0) continue
				if (c == "{") depth++
				else if (c == "}") { depth--; extra[id]-- }
				else if (c == ";" || c == ",") {
					if (depth == 0) count[id]++; else extra[id]++
					if (text ~ /^[ \t]*(const )?struct [a-z_]+ [a-z_]+$/) {
						split(text, word, " ")
						parts[id] = parts[id] " " word[word[1] == "const" ? 3 : 2]
					}
					if (c == ";") text = ""
					continue
				}
				if (depth == 0) text = text c
				if (c == "}") text = ""
			}
		}
		function all(id, n, i, list, m) {
			n = count[id] + extra[id]
			m = split(parts[id], list, " ")
			for (i = 1; i <= m; i++)
				if (list[i] in place && place[list[i]] != id) n += all(place[list[i]]) - 1
			return n
		}
		END { for (id in count) printf "%d of %d %s\n", count[id], all(id), id }'
}

# functions: "LINES FILE: NAME", the lines between the braces.
functions()
{
	sources | while read -r file; do
		awk -v file="$file" '
			/^[A-Za-z].*\(/ { name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
			/^\{/ { start = NR }
			/^\}/ && start { print NR - start - 1, file ": " name; start = 0 }' "$file"
	done
}

largest()
{
	printf '%s\n' "$1"
	sort -rn | head -n "$top" | sed 's/^/  /'
}

{
	echo "the records everything turns around: members, and members with those of their parts"
	members | grep -E 'core/model/(model|job_record)\.h: struct (view|engine|database|job)$|conn/db\.h: struct db$' | sed 's/^/  /'
}
members | largest "structs: members, and members with those of their parts"
sources | xargs wc -l | grep -v ' total$' | largest "files: lines"
functions | largest "functions: lines"
sources | grep '\.c$' | sed 's|/[^/]*$||' | uniq -c | largest "folders: sources"
functions | sort -n | awk '{ n[NR] = $1 } END { printf "functions: %d, the median has %d lines\n", NR, n[int((NR + 1) / 2)] }'

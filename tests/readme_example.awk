# Prints the C blocks of a Markdown file.
/^```c$/ { inside = 1; next }
/^```/ { inside = 0 }
inside

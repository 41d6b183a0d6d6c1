@node "%~dp0ovsdb-tool" %*

module server-NAME

go 1.19

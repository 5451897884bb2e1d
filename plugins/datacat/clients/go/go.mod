module rayne/datacat

go 1.19

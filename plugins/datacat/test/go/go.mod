module rayne/datacat/cases

go 1.19

require rayne/datacat v0.0.0

replace rayne/datacat => ../../clients/go

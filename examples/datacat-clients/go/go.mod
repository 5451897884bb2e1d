module rayne/examples/datacat

go 1.19

require rayne/datacat v0.0.0

replace rayne/datacat => ../../../plugins/datacat/clients/go

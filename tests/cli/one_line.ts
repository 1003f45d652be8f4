import "../../cli.ts";

require ["include", "fileinto"];
include :personal "people";
fileinto "Rest";

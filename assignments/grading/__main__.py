from grading.grade import main

main()
